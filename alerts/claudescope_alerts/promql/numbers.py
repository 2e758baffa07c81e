"""How numbers are written in PromQL, and how Prometheus writes them in annotations."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

__all__ = ["format_number", "four_digits", "just_over", "just_under", "percentage"]


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


def just_over(threshold: Decimal) -> Decimal:
    """A number at least one percent over a threshold. It has four digits, so that annotations show it exactly."""
    return _four_digits(threshold * Decimal("1.01"), ROUND_CEILING)


def just_under(threshold: Decimal) -> Decimal:
    """A number at least one percent under a threshold. It has four digits, so that annotations show it exactly."""
    return _four_digits(threshold * Decimal("0.99"), ROUND_FLOOR)


def _four_digits(number: Decimal, rounding: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(number.adjusted() - 3), rounding).normalize()
