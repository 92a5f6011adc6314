"""Writes documents.tsv: documents with what they come to, computed with fractions and without the product's code.

The rules are those of docs/money.md. Python 3.11, standard library only; from this folder:

    python3 documents.py > documents.tsv

A row has the currency, the lines and what they come to, separated by tabs. Lines are separated by spaces: QUANTITY*PRICE@RATE,
with `-` as the rate of a line without tax and without `@RATE` for a discount, or PERCENT%. A rate is its percentage, with
`/2` for another rate of the same percentage. What they come to: `amount,… subtotal rate:taxable:tax,… tax_total total`, or why
they are refused: `line PLACE`, `discounts` or `total`.
"""

import random
from fractions import Fraction

DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3}


def half_away(exact):
    sign = -1 if exact < 0 else 1
    return sign * ((2 * abs(exact) + 1) // 2)


def shown(minor, decimals):
    sign, digits = ("-" if minor < 0 else ""), f"{abs(minor):0{decimals + 1}d}"
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def percent_of(rate):
    return Fraction(rate.split("/")[0]) / 100 if rate != "-" else Fraction(0)


def come_to(currency, lines):
    decimals = DECIMALS[currency]
    unit = 10**decimals
    sold = [half_away(Fraction(q) * Fraction(p) * unit) for q, p, r in lines if r is not None]
    gross = sum(sold)
    amounts = []
    for quantity, price, rate in lines:
        if price is None:
            amounts.append(-half_away(Fraction(quantity) / 100 * gross))
        else:
            amounts.append(half_away(Fraction(quantity) * Fraction(price) * unit))
    most = 10 ** (8 + decimals) - 1
    for place, amount in enumerate(amounts):
        if abs(amount) > most:
            return f"line {place}"
    subtotal = sum(amounts)
    if subtotal < 0:
        return "discounts"
    groups = {}
    for (_, _, rate), amount in zip(lines, amounts):
        if rate is not None:
            groups[rate] = groups.get(rate, 0) + amount
    discount, shares = gross - subtotal, {rate: 0 for rate in groups}
    if discount:
        exact = {rate: Fraction(discount * of, gross) for rate, of in groups.items()}
        shares = {rate: int(part) for rate, part in exact.items()}
        first = list(groups)
        lost = sorted(
            groups,
            key=lambda rate: (
                shares[rate] - exact[rate],
                -percent_of(rate),
                -groups[rate],
                first.index(rate),
            ),
        )
        for rate in lost[: discount - sum(shares.values())]:
            shares[rate] += 1
    taxes, tax_total = [], 0
    for rate, of in groups.items():
        if rate == "-":
            continue
        base = of - shares[rate]
        tax = half_away(percent_of(rate) * base)
        tax_total += tax
        taxes.append(f"{rate}:{shown(base, decimals)}:{shown(tax, decimals)}")
    total = subtotal + tax_total
    if total >= 10 ** (9 + decimals):
        return "total"
    each = ",".join(shown(amount, decimals) for amount in amounts)
    sums = [shown(subtotal, decimals), ",".join(taxes) or "-", shown(tax_total, decimals), shown(total, decimals)]
    return " ".join([each, *sums])


def text(line):
    quantity, price, rate = line
    if price is None:
        return f"{quantity}%"
    return f"{quantity}*{price}" + (f"@{rate}" if rate is not None else "")


def decimal(rng, units, places):
    number = rng.randint(1, units)
    written = f"{number / 10**places:.{places}f}" if places else str(number)
    return written.rstrip("0").rstrip(".") if "." in written else written


RATES = ["-", "8.25", "4.5", "0", "6.25", "23", "99.9999", "0.0001", "8.25/2", "7", "10"]


def a_line(rng, rates, largest):
    quantity = rng.choice(["1", "1", "2", "3", "0.5", "2.5", decimal(rng, 20_000, 3)])
    places = rng.choice([0, 2, 2, 2, 4])
    price = rng.choice(["0", "0.005", "0.0825", decimal(rng, largest * 10**places, places), "33.33", "10"])
    return quantity, price, rng.choice(rates)


def a_discount(rng, largest):
    if rng.random() < 0.5:
        return rng.choice(["10", "5", "100", "0.0001", "33.3333", decimal(rng, 500_000, 4)]), None, None
    return rng.choice(["1", "1", "2.5"]), "-" + decimal(rng, largest * 100, 2), None


def a_document(rng):
    currency = rng.choice(["USD", "USD", "USD", "JPY", "KWD"])
    rates = rng.sample(RATES, rng.randint(1, 4))
    largest = rng.choice([20, 500, 500, 5_000, 9_000_000])
    count = rng.choice([1, 2, 3, 3, 4, 5, 8]) if rng.random() < 0.985 else 100
    lines = [a_line(rng, rates, largest) for _ in range(count)]
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        if len(lines) < 100:
            lines.insert(rng.randint(0, len(lines)), a_discount(rng, rng.choice([1, largest])))
    return currency, lines


def main():
    rng = random.Random(20_260_301)
    seen, rows = set(), []
    # The tables of the rules.
    wanted = [
        ("USD", [("1", "55.55", "23"), ("1", "11.11", "23")]),
        ("USD", [("1", "10.99", "6.25")]),
        ("USD", [("1", "0.10", "8.25")] * 3),
        ("USD", [("1", "100", "8.25"), ("1", "50", "4.5"), ("1", "20", "-")]),
        ("USD", [("1", "100", "8.25"), ("1", "50", "4.5"), ("1", "20", "-"), ("10", None, None)]),
        ("USD", [("1", "33.33", "8.25"), ("1", "33.33", "4.5"), ("1", "33.33", "-"), ("1", "-25", None)]),
        ("USD", [("1", "200", "8.25"), ("10", None, None), ("5", None, None)]),
        ("USD", [("1", "120", "8.25"), ("1", "80", "-"), ("10", None, None), ("1", "-20", None)]),
        ("USD", [("3", "149.50", "8.25"), ("12.5", "4.3333", "8.25"), ("1", "35", "-"), ("7.5", None, None)]),
        ("USD", [("1", "20", "-"), ("1", "-20.01", None)]),
        ("USD", [("1", "100", "8.25"), ("100", None, None)]),
        ("USD", [("999999.999", "9999999.9999", "-")]),
        ("USD", [("1", "9999999.99", "10")] * 100),
        ("USD", [("10", None, None)]),
        ("USD", []),
    ]
    while len(rows) < 2_400:
        document = wanted.pop(0) if wanted else a_document(rng)
        currency, lines = document
        row = "\t".join([currency, " ".join(map(text, lines)), come_to(currency, lines)])
        if row not in seen:
            seen.add(row)
            rows.append(row)
    print("\n".join(rows))


if __name__ == "__main__":
    main()
