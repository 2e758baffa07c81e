"""How numbers are written in PromQL, and how Prometheus writes them in annotations."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["format_number", "four_digits", "percentage"]


def format_number(number: Decimal | float) -> str:
    """Write a number in PromQL: no exponent, and no `0.9990000000000001`."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percentage(ratio: Decimal) -> str:
    """Write a ratio as Prometheus' `humanizePercentage` does: 0.05 is `5%`."""
    return f"{float(ratio * 100):.4g}%"


def four_digits(number: Decimal) -> str:
    """Write a number as `printf "%.4g"` does in an annotation."""
    return f"{float(number):.4g}"
