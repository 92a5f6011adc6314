//! What a column of a file can mean, as people choose it.

use zoop_crm::business::import::columns::Meaning;

/// Meanings that belong together.
pub(super) struct Group {
    pub(super) label: &'static str,
    pub(super) meanings: &'static [(Meaning, &'static str)],
}

/// All meanings, in the order in which they are offered.
pub(super) const GROUPS: &[Group] = &[
    Group {
        label: "Customer",
        meanings: &[
            (Meaning::Name, "Name"),
            (Meaning::FirstName, "First name"),
            (Meaning::MiddleName, "Middle name"),
            (Meaning::LastName, "Last name"),
            (Meaning::Prefix, "Title"),
            (Meaning::Suffix, "Suffix, such as Jr"),
            (Meaning::CompanyName, "Company"),
            (Meaning::JobTitle, "Job title"),
            (Meaning::CustomerType, "Person or company"),
        ],
    },
    Group {
        label: "How to reach them",
        meanings: &[
            (Meaning::Phone, "Phone"),
            (Meaning::Mobile, "Mobile phone"),
            (Meaning::HomePhone, "Home phone"),
            (Meaning::WorkPhone, "Work phone"),
            (Meaning::Email, "E-mail"),
        ],
    },
    Group {
        label: "Service address",
        meanings: &[
            (Meaning::ServiceAddress, "Whole address"),
            (Meaning::ServiceLine1, "Street"),
            (Meaning::ServiceLine2, "Unit"),
            (Meaning::ServiceCity, "City"),
            (Meaning::ServiceState, "State"),
            (Meaning::ServicePostalCode, "ZIP"),
            (Meaning::ServiceCountry, "Country"),
            (Meaning::ServiceName, "Name of the place"),
            (Meaning::ServiceNotes, "Access notes"),
            (Meaning::ServiceIsBilling, "Is it the billing address?"),
        ],
    },
    Group {
        label: "Second service address",
        meanings: &[
            (Meaning::Service2Address, "Whole second address"),
            (Meaning::Service2Line1, "Second street"),
            (Meaning::Service2Line2, "Second unit"),
            (Meaning::Service2City, "Second city"),
            (Meaning::Service2State, "Second state"),
            (Meaning::Service2PostalCode, "Second ZIP"),
            (Meaning::Service2Country, "Second country"),
            (Meaning::Service2Name, "Name of the second place"),
            (Meaning::Service2Notes, "Second access notes"),
            (Meaning::Service2IsBilling, "Is the second the billing address?"),
        ],
    },
    Group {
        label: "Billing address",
        meanings: &[
            (Meaning::BillingAddress, "Whole billing address"),
            (Meaning::BillingLine1, "Billing street"),
            (Meaning::BillingLine2, "Billing unit"),
            (Meaning::BillingCity, "Billing city"),
            (Meaning::BillingState, "Billing state"),
            (Meaning::BillingPostalCode, "Billing ZIP"),
            (Meaning::BillingCountry, "Billing country"),
            (Meaning::BillingName, "Name of the billing address"),
            (Meaning::BillingNotes, "Billing remark"),
        ],
    },
    Group {
        label: "Other",
        meanings: &[
            (Meaning::Notes, "Note"),
            (Meaning::Tags, "Tags"),
            (Meaning::Source, "Source"),
            (Meaning::Vip, "VIP?"),
            (Meaning::DoNotContact, "Do not contact?"),
            (Meaning::Archived, "Former customer?"),
            (Meaning::ExternalId, "Id in the other system"),
            (Meaning::ClientAndProperty, "Client and property id"),
        ],
    },
];

/// What people call a meaning.
pub(super) fn label(meaning: Meaning) -> &'static str {
    let all = GROUPS.iter().flat_map(|group| group.meanings);
    all.into_iter().find(|(it, _)| *it == meaning).map_or("", |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_is_offered_once() {
        let offered = || GROUPS.iter().flat_map(|group| group.meanings);
        for meaning in Meaning::ALL {
            assert_eq!(offered().filter(|(it, _)| it == meaning).count(), 1, "{meaning:?}");
        }
        assert_eq!(offered().count(), Meaning::ALL.len());
        let mut labels: Vec<_> = offered().map(|(_, label)| label).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Meaning::ALL.len(), "each has a label of its own");
    }
}
