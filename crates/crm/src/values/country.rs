//! Countries, by their ISO 3166-1 codes.

use serde::{Serialize, Serializer};
use zoop_db::{Column, Param, Value};

use crate::values::phone;

/// An ISO 3166-1 alpha-2 country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The United States, the default.
    pub const US: Self = Self(*b"US");

    /// The country with this code, in upper or lower case. `None` if ISO has not assigned the code.
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.to_ascii_uppercase().into_bytes().try_into().ok()?;
        ASSIGNED.as_bytes().chunks(3).any(|known| known[..2] == code).then_some(Self(code))
    }

    /// Every country, sorted by code.
    pub fn all() -> impl Iterator<Item = Self> {
        ASSIGNED.as_bytes().chunks(3).map(|code| Self([code[0], code[1]]))
    }

    /// The country's short name in English, or its code if no name is known.
    pub fn name(&self) -> String {
        let name = self.code().parse().map_or("", |country: iso_currency::Country| country.name());
        // Some names have a reference to a footnote.
        match name.split('[').next() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => self.code().to_owned(),
        }
    }

    /// The numbering plan of the country's telephone numbers; the US plan if the country has none of its own.
    pub fn numbering_plan(self) -> phone::NumberingPlan {
        phone::NumberingPlan::new(self.code()).unwrap_or(phone::NumberingPlan::US)
    }

    /// The code, in capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("US")
    }
}

impl Param for Country {
    fn value(&self) -> Value<'_> {
        Value::Text(self.code())
    }
}

/// A stored code that this version does not know, because a later version stored it, is read as the default
/// country. The country only determines how telephone numbers without a country code are read.
impl Column for Country {
    const KIND: zoop_db::Kind = zoop_db::Kind::Text;
    const NAME: &'static str = "Country";
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(code) => Some(Self::parse(code).unwrap_or(Self::US)),
            _ => None,
        }
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The officially assigned codes of ISO 3166-1.
const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ \
BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ \
DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT \
GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX \
MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS \
RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN \
TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_every_country_has_a_name() {
        let name = |code: &str| Country::parse(code).expect("a country").name();
        assert_eq!(
            ["US", "DE", "TW"].map(name),
            ["United States of America", "Germany", "Taiwan, Province of China"]
        );
        assert_eq!(Country::all().count(), 249);
        let unnamed: Vec<_> = Country::all().filter(|it| it.name() == it.code()).collect();
        assert_eq!(unnamed, []);
    }

    #[test]
    fn an_unknown_stored_country_is_read_as_the_default() {
        let canada = Country::parse("ca").expect("a country");
        assert_eq!(Country::read(canada.value()), Some(canada));
        assert_eq!(Country::read(Value::Text("ZZ")), Some(Country::US));
        assert_eq!(Country::read(Value::Integer(1)), None);
    }
}
