"""Writes phones.tsv beside this file: what Google's library says about typed phone numbers.

Its Python port is made from the same metadata and tests. Use the release whose metadata the crate
`rlibphonenumber` carries (its README names it), so that a difference is one of code:

    python3 -m venv /tmp/phones && /tmp/phones/bin/pip install phonenumbers==9.0.42
    /tmp/phones/bin/python crates/crm/tests/golden/phones.py

Columns: default country, typed text, verdict, E.164. The verdict is `valid`, `possible` (taken, but
in no numbering plan today) or `refused` (not a number, not possible, or possible only locally).
"""

import pathlib

import phonenumbers as google
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Type
from phonenumbers import ValidationResult

TYPES = [
    Type.FIXED_LINE, Type.MOBILE, Type.TOLL_FREE, Type.PREMIUM_RATE, Type.SHARED_COST,
    Type.VOIP, Type.PERSONAL_NUMBER, Type.PAGER, Type.UAN,
]
US_NUMBERS = ["5105550199", "2125550123", "8005550100", "9072345678", "4155552671", "3052345678"]
US_PATTERNS = [
    "{a}{b}{c}", "{a}.{b}.{c}", "{a} {b} {c}", "{a}-{b}-{c}", "({a}) {b}-{c}", "({a}){b}-{c}",
    "({a}) {b} {c}", "{a}/{b}-{c}", "{a}/{b}/{c}", "+1{a}{b}{c}", "+1 {a} {b} {c}",
    "+1 ({a}) {b}-{c}", "+1-{a}-{b}-{c}", "+1.{a}.{b}.{c}", "1{a}{b}{c}", "1-{a}-{b}-{c}",
    "1 ({a}) {b}-{c}", "1.{a}.{b}.{c}", "011 1 {a} {b} {c}", "00 1 {a} {b} {c}", "+ 1 {a} {b} {c}",
    "{a}-{b}-{c} ext. 12", "{a}-{b}-{c} ext 12", "{a}-{b}-{c} x12", "{a}-{b}-{c}x12",
    "{a}-{b}-{c} #12", "{a}-{b}-{c}, ext. 1234", "({a}) {b}-{c} extension 7", "{a}-{b}-{c};ext=9",
    "{a} – {b} – {c}", "{a}‑{b}‑{c}", "{a}−{b}−{c}", "{a}\u00a0{b}\u00a0{c}", "Tel: {a}-{b}-{c}",
    "tel:+1-{a}-{b}-{c}", "call {a} {b} {c}", "{a}~{b}~{c}", "[{a}] {b}-{c}", "{a}_{b}_{c}",
    "\u202a+1 {a} {b} {c}\u202c", "{a}{b}-{c}", "+1{a}-{b}{c}", "{a}*{b}*{c}", "+{a}{b}{c}",
    "({a}) ({b}) ({c})", "{a}  {b}   {c}", "{a}-{b}-{c} or 510-555-0100", "{a}-{b}-{c}/{b}-{c}",
    "{b}-{c}", "{b}{c}", "{b} {c}", "1-{b}-{c}", "{a}-{b}", "{a}", "{a}-{b}-{c}0", "{a}-{b}-{c}00",
    "1-{a}-{b}-{c}-99", "0{a}{b}{c}", "+1 0{a} {b} {c}", "+1 (0){a} {b} {c}",
]
OTHERS = [
    "", " ", "+", "-", "()", "x", "0", "1", "12", "911", "112", "411", "000000", "0000000000",
    "1111111111", "1234567890", "9999999999", "123456789012345", "1234567890123456",
    "12345678901234567890", "+0 510 555 0199", "+999 510 555 0199", "+1", "+44", "+49 1", "phone",
    "n/a", "none", "unknown", "1-800-FLOWERS", "1-800-GOT-JUNK", "800 FLOWERS", "(800) GO-FEDEX",
    "+44 (0)20 7946 0958", "+44 020 7946 0958", "0044 20 7946 0958", "011 44 20 7946 0958",
    "020 7946 0958", "20 7946 0958", "7946 0958", "+44 20 7946", "+49 30 123456", "030 123456",
    "+49 (0) 30 / 12 34 56", "+39 06 698 1234", "06 698 1234", "+33 1 42 68 53 00", "01 42 68 53 00",
    "+86 10 6552 9988", "+81 3-1234-5678", "03-1234-5678", "+52 1 55 1234 5678", "+52 55 1234 5678",
    "+54 9 11 2345-6789", "011 15-2345-6789", "+7 (495) 123-45-67", "8 (495) 123-45-67",
    "+61 2 9876 5432", "(02) 9876 5432", "0412 345 678", "+64 21 123 4567", "+91 98765 43210",
    "098765 43210", "+800 1234 5678", "+870 773 111 632", "+883 5100 1234 5678", "+979 123456789",
    "+15105550199;phone-context=+1", "tel:5550199;phone-context=+1510", "tel:555;phone-context=x.com",
    "５１０５５５０１９９", "（５１０）５５５−０１９９", "＋１ ５１０ ５５５ ０１９９", "٥١٠٥٥٥٠١٩٩", "۵۱۰۵۵۵۰۱۹۹",
    "५१०५५५०१९९", "555-0100", "555-0199", "5550123", "5105550199a", "a5105550199", "510x5550199",
    "510 555 0199 12345678", "510-555-0199 ext. 123456789", "510-555-0199 ext. 12345678901",
    "+1 510 555 0199 +1 510 555 0198", "5105550199 🙂", "🙂 510 555 0199", "510\u200b555\u200b0199",
    "(510 555 0199", "510) 555 0199", "((510)) 555-0199", "+1+5105550199", "++15105550199",
    "#5105550199", "*67 510 555 0199", "510,555,0199", "510;555;0199", "510:555:0199", "5.1.0.5.5.5.0.1.9.9",
    "+1 510 555 0199 anschluss 3", "+1 510 555 0199 доб. 12", "+1 510 555 0199 int 5", "+1 510 555 0199 xtn 5",
]
COUNTRIES_FOR_OTHERS = ["US", "GB", "DE", "IT", "MX", "JP"]


def judge(country, typed):
    """The verdict on a typed text, and its E.164 form when it is taken."""
    try:
        number = google.parse(typed, country)
    except google.NumberParseException:
        return "refused", ""
    if google.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return "refused", ""
    verdict = "valid" if google.is_valid_number(number) else "possible"
    return verdict, google.format_number(number, Format.E164)


def typed_by_region():
    """Each region's examples of every type in every format, and damaged ones."""
    for region in sorted(google.SUPPORTED_REGIONS):
        seen = set()
        for kind in TYPES:
            number = google.example_number_for_type(region, kind)
            if number is None or google.format_number(number, Format.E164) in seen:
                continue
            seen.add(google.format_number(number, Format.E164))
            national = google.format_number(number, Format.NATIONAL)
            yield region, national
            yield "US", google.format_number(number, Format.INTERNATIONAL)
            if len(seen) > 3:
                continue
            yield "US", national
            yield "US", google.format_number(number, Format.RFC3966)
            yield region, google.format_number(number, Format.E164)
            yield region, national[:-1]
            yield region, national + "0"
        number = google.example_number(region)
        if number is not None:
            yield region, google.national_significant_number(number)
            yield region, google.national_significant_number(number)[-5:]
            yield region, google.format_number(number, Format.E164)[1:]
            yield region, google.format_number(number, Format.E164) + " ext. 12"
            yield region, google.format_number(number, Format.E164) + "12345"
            yield "US", "011" + google.format_number(number, Format.E164)[1:]
            yield "GB", "00" + google.format_number(number, Format.E164)[1:]


def typed_in_the_us():
    """American numbers as people type them."""
    for number in US_NUMBERS:
        for pattern in US_PATTERNS:
            yield "US", pattern.format(a=number[:3], b=number[3:6], c=number[6:])


def main():
    cases = [*typed_by_region(), *typed_in_the_us()]
    cases += [(country, typed) for country in COUNTRIES_FOR_OTHERS for typed in OTHERS]
    lines = [f"# phonenumbers {google.__version__}: default country, typed, verdict, E.164"]
    for country, typed in dict.fromkeys(cases):
        lines.append("\t".join([country, typed, *judge(country, typed)]))
    path = pathlib.Path(__file__).with_name("phones.tsv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
