"""Types of the values in a spec, and the checks that its sections share.

Each type has its own JSON Schema, which accepts what the loader accepts: editors check a spec with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Strict, ValidationInfo, WithJsonSchema

from claudescope._internal import yaml_model
from claudescope._internal.exceptions import did_you_mean
from claudescope._internal.file_model import FileModel as SpecModel
from claudescope.schema.catalogue import METRICS, Label, Metric

__all__ = [
    "TEXT_PATTERN",
    "BaseUrl",
    "Count",
    "DailyUsDollars",
    "Duration",
    "Factor",
    "Flag",
    "Identifier",
    "LabelValue",
    "PageUrl",
    "Percent",
    "Ratio",
    "SpecModel",
    "Text",
    "Url",
    "UsDollars",
    "bucket",
    "distinct",
    "duration",
    "label_named",
    "metric_named",
]

T = TypeVar("T", bound=Hashable)

_CONTROL: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
TEXT_PATTERN: Final = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
_IDENTIFIER: Final = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_DURATION: Final = r"^\s*([0-9]+(\.[0-9]+)?(ms|[smhdw]))+\s*$"
_PERCENTAGE: Final = r"^\s*([1-9][0-9]?(\.[0-9]+)?|0\.0{0,2}[1-9][0-9]*)\s*%\s*$"
_NO_URL: Final = r"\s{}\"'<>\\^`|"
_HOST: Final = rf"^https?://[^/?#{_NO_URL}]+"
_URL: Final = rf"{_HOST}([/?#][^{_NO_URL}]*)?$"
_PAGE_URL: Final = rf"{_HOST}([/?][^#{_NO_URL}]*)?$"
_BASE_URL: Final = rf"{_HOST}(/[^?#{_NO_URL}]*)?$"


def distinct(values: Sequence[T]) -> Sequence[T]:
    """Check that no value of a list is there twice.

    Raises:
        ValueError: One is.
    """
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{str(value)!r} is there twice. Remove one of them")
    return values


def _text(value: str) -> str:
    if not re.fullmatch(TEXT_PATTERN, value):
        raise ValueError("expected a text of at least one character, in one line and without control characters")
    # A lone half of a surrogate pair is no text: no file can hold it.
    if re.search("[\ud800-\udfff]", value):
        raise ValueError("expected a text that UTF-8 can write")
    return value


def _plain(value: str) -> str:
    if "{{" in _text(value) or "}}" in value:
        raise ValueError("expected a text without '{{' and '}}': it is not a template")
    return value


def _identifier(value: str) -> str:
    if len(value) > 60 or not re.fullmatch(_IDENTIFIER, value):
        raise ValueError(
            "expected lower-case letters, digits and hyphens between them, at most 60, such as 'checkout-assistant'"
        )
    return value


def _parsed(value: str) -> SplitResult:
    """The parts of a URL. A link is part of annotations, so it must have nothing that a template or YAML changes."""
    wrong = "expected a URL that starts with http:// or https:// and names a host, such as 'https://example.com/page'"
    if not re.fullmatch(_URL, value) or not value.isprintable():
        raise ValueError(wrong)
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if not parts.hostname:
        raise ValueError(wrong)
    return parts


def _url(value: str) -> str:
    _parsed(value)
    return value


def _page_url(value: str) -> str:
    parts = _parsed(value)
    if parts.username is not None:
        raise ValueError("expected a URL without a login: everybody who receives an alert reads it")
    if "#" in value:
        raise ValueError("expected a URL without '#': an alert adds its own heading")
    return value


def _base_url(value: str) -> str:
    if "?" in _page_url(value):
        raise ValueError("expected a URL without '?': an alert adds the path of its dashboard")
    return value


def _from_yaml(info: ValidationInfo) -> bool:
    """Whether a value comes from a file. In code a number may also be a text, so that it is exact."""
    return bool(info.context)


def _exact(value: object, info: ValidationInfo, wrong: str) -> Decimal:
    """A finite number, exactly as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(wrong)  # noqa: TRY004 # pydantic reports a ValueError
    if isinstance(value, str) and _from_yaml(info):
        raise ValueError(f"{wrong}, without quotes or a unit")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(wrong) from None
    if not number.is_finite():
        raise ValueError(wrong)
    return number


def _number(least: str, most: str, wrong: str) -> BeforeValidator:
    """The validator of a number within bounds."""

    def check(value: object, info: ValidationInfo) -> Decimal:
        number = _exact(value, info, wrong)
        if not Decimal(least) <= number <= Decimal(most):
            raise ValueError(wrong)
        return number

    return BeforeValidator(check)


def _percent(value: object, info: ValidationInfo) -> Decimal:
    wrong = "expected a percentage above 1 and at most 99.9999, such as 99.5"
    number = _exact(value, info, wrong)
    if 0 < number < 1:
        raise ValueError(f"a target is in percent. Write {(number * 100).normalize():f} for a ratio of {number}")
    if not 1 < number <= Decimal("99.9999"):
        raise ValueError(wrong)
    return number


def _ratio(value: object, info: ValidationInfo) -> Decimal:
    # An alert fires above its threshold, so it would never fire at 100 %.
    wrong = "expected a ratio such as '5%' or 0.05, from 0.001% and below 100%"
    if isinstance(value, str) and value.strip().endswith("%"):
        if not re.fullmatch(_PERCENTAGE, value):
            raise ValueError(wrong)
        return Decimal(value.strip().removesuffix("%").strip()) / 100
    ratio = _exact(value, info, wrong)
    if not Decimal("0.00001") <= ratio < 1:
        raise ValueError(wrong)
    return ratio


def _count(value: object) -> object:
    """A whole number; JSON Schema takes 5.0 for one too."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def _schema(pattern: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


Text = Annotated[str, AfterValidator(_plain), _schema(TEXT_PATTERN)]
"""A text of one line, which is not empty and has no template in it."""

LabelValue = Annotated[str, AfterValidator(_text), _schema(TEXT_PATTERN)]
"""The value of a label: any text of one line, which is not empty."""

Identifier = Annotated[str, AfterValidator(_identifier), _schema(_IDENTIFIER, maxLength=60)]
"""A name that is part of file names, of names in Kubernetes and of label values."""

Url = Annotated[str, AfterValidator(_url), _schema(_URL)]
"""A URL that a program calls."""

PageUrl = Annotated[str, AfterValidator(_page_url), _schema(_PAGE_URL)]
"""A URL of a page, to which an alert adds `#heading`."""

BaseUrl = Annotated[str, AfterValidator(_base_url), _schema(_BASE_URL)]
"""A URL to which an alert adds a path."""

Flag = Annotated[bool, Strict()]
"""`true` or `false`."""

Count = Annotated[int, Strict(), BeforeValidator(_count)]
"""A whole number. Bounds are a `Field`'s."""

Percent = Annotated[Decimal, BeforeValidator(_percent),
                    WithJsonSchema({"type": "number", "exclusiveMinimum": 1, "maximum": 99.9999})]  # fmt: skip
"""A target in percent, exactly as it was written."""

Ratio = Annotated[
    Decimal,
    BeforeValidator(_ratio),
    WithJsonSchema({"anyOf": [
        {"type": "string", "pattern": _PERCENTAGE}, {"type": "number", "minimum": 0.00001, "exclusiveMaximum": 1}
    ]}),
]  # fmt: skip
"""A ratio: `5%` or 0.05."""

Factor = Annotated[
    Decimal,
    _number("1.1", "1000", "expected a factor from 1.1 to 1000, such as 2"),
    WithJsonSchema({"type": "number", "minimum": 1.1, "maximum": 1000}),
]
"""How many times a baseline is too much."""

UsDollars = Annotated[
    Decimal,
    _number("0.0001", "10000000", "expected US dollars from 0.0001 to 10000000, such as 0.5"),
    WithJsonSchema({"type": "number", "minimum": 0.0001, "maximum": 10_000_000}),
]
"""An amount in US dollars."""

DailyUsDollars = Annotated[
    Decimal,
    _number("0.01", "10000000", "expected US dollars from 0.01 to 10000000, such as 100"),
    WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": 10_000_000}),
]
"""What a day costs, in US dollars."""

Duration = Annotated[yaml_model.Duration, _schema(_DURATION)]
"""A duration in seconds; a file writes it with its unit: `2.56s`, `10m`."""


def duration(least: float, most: float, *, whole: float = 0) -> Callable[[float], float]:
    """The check that a duration is within bounds, in seconds.

    Args:
        least: The shortest one.
        most: The longest one.
        whole: What it must be a multiple of; 0 for any duration.
    """
    bounds = f"from {yaml_model.format_duration(least)} to {yaml_model.format_duration(most)}"
    unit = f", in whole {'minutes' if whole == 60 else 'seconds'}" if whole else ""

    def check(seconds: float) -> float:
        if not least <= seconds <= most or (whole and seconds % whole):
            raise ValueError(f"expected a duration {bounds}{unit}")
        return seconds

    return check


def metric_named(name: str) -> Metric:
    """The metric of the catalogue that has an OpenTelemetry name.

    Raises:
        ValueError: There is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    known = [metric.name for metric in METRICS]
    raise ValueError(f"claudescope has no metric {name!r}.{did_you_mean(name, known)}")


def label_named(name: str, metric: Metric) -> Label:
    """The label of a metric that has an OpenTelemetry name.

    Raises:
        ValueError: The metric has no such label.
    """
    for label in metric.labels:
        if label.name == name:
            return label
    known = [label.name for label in metric.labels]
    raise ValueError(f"{metric.name} has no label {name!r}.{did_you_mean(name, known)} Its labels: {', '.join(known)}")


def bucket(metric: Metric, seconds: float) -> str:
    """The upper bound of a histogram's bucket, as Prometheus writes it.

    Args:
        metric: The histogram.
        seconds: The bound in seconds.

    Raises:
        ValueError: No bucket of the histogram ends there, so calls cannot be counted against it.
    """
    for bound in metric.buckets:
        if abs(bound - seconds) < 1e-9 * bound:
            return f"{bound:.10g}"
    lower = max((bound for bound in metric.buckets if bound < seconds), default=metric.buckets[0])
    upper = min((bound for bound in metric.buckets if bound > seconds), default=metric.buckets[-1])
    near = " or ".join(f"{bound:.10g}s" for bound in dict.fromkeys((lower, upper)))
    raise ValueError(f"{metric.name} has no bucket that ends at {seconds:g}s. Expected the end of a bucket, "
                     f"such as {near}")  # fmt: skip
