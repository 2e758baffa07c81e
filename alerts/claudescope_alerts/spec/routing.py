"""The part of a spec that says who receives which alert, and when."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from claudescope_alerts.spec.fields import Duration, SpecModel, Text, Url, distinct, duration
from claudescope_alerts.spec.pagerduty_zones import pagerduty_zone

__all__ = ["DAYS", "DEADMAN_URL", "Day", "DeadMan", "Email", "Hours", "Receiver", "Routing", "Slack", "Tickets"]

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_CLOSURE_DAYS: Final = 30
"""Days before and after a holiday in which the longest closure around it is looked for."""

DAYS: Final[tuple[Day, ...]] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@cache
def _time_zones() -> frozenset[str]:
    """IANA's zones. The two others are names of a machine's own settings, which no other machine knows."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


def _matching(pattern: str, wrong: str) -> tuple[AfterValidator, WithJsonSchema]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(wrong)
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^({pattern})$"})


def _holiday(value: object) -> object:
    """Only a date: pydantic would read a number as the seconds since 1970."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise ValueError("expected a date such as 2026-12-25")  # noqa: TRY004 # pydantic reports a ValueError
    if isinstance(value, str):
        try:
            value = datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 # a date has no time zone
        except ValueError:
            raise ValueError("expected a date such as 2026-12-25") from None
    if not 2000 <= value.year <= 2100:
        raise ValueError("expected a date from 2000 to 2100")
    return value


_ADDRESS: Final = r"[^@,<>\s{}]+@[^@,<>\s{}]+|[^@,<>{}\r\n]*<[^@,<>\s{}]+@[^@,<>\s{}]+>"
_PORT: Final = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

_ADDRESS_CHECK = _matching(_ADDRESS, "expected an e-mail address such as 'team@example.com'")
_ADDRESSES_CHECK = _matching(
    rf"({_ADDRESS})(,\s*({_ADDRESS}))*", "expected an e-mail address such as 'team@example.com', or several with commas"
)
_SMARTHOST_CHECK = _matching(
    rf"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):{_PORT}", "expected a host and a port such as 'mail.example.com:587'"
)
_START_CHECK = _matching(r"([01][0-9]|2[0-3]):[0-5][0-9]", "expected a time such as '09:00'")
_END_CHECK = _matching(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", "expected a time such as '17:00', at most '24:00'")

Address = Annotated[str, _ADDRESS_CHECK[0], _ADDRESS_CHECK[1]]
Addresses = Annotated[str, _ADDRESSES_CHECK[0], _ADDRESSES_CHECK[1]]
Smarthost = Annotated[str, _SMARTHOST_CHECK[0], _SMARTHOST_CHECK[1]]
Start = Annotated[str, _START_CHECK[0], _START_CHECK[1]]
End = Annotated[str, _END_CHECK[0], _END_CHECK[1]]
Holiday = Annotated[date, BeforeValidator(_holiday, json_schema_input_type=date)]


class Slack(SpecModel):
    """A Slack channel. Alertmanager reads the webhook's URL from a file."""

    channel: Text
    """Channel that receives the alerts, such as `"#oncall"`. Required."""

    api_url_file: Text
    """Path of a file with the URL of the webhook, on the machine of Alertmanager. Required."""


class Email(SpecModel):
    """An e-mail address, and the server that delivers to it."""

    to: Addresses
    """Address that receives the alerts, or several with commas between them. Required."""

    sender: Address
    """Address that sends the alerts. Required."""

    smarthost: Smarthost
    """Host and port of the SMTP server, such as `mail.example.com:587`. Required."""

    username: Text | None = None
    """User name at the SMTP server. Default: null, no login."""

    password_file: Text | None = None
    """Path of a file with the password at the SMTP server, on the machine of Alertmanager. Default: null, no
    password."""

    @model_validator(mode="after")
    def _login_is_whole(self) -> Email:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("expected both username and password_file, or neither")
        return self


class Receiver(SpecModel):
    """Where alerts go. Alertmanager reads keys from files, so the generated files hold no secret."""

    pagerduty_key_file: Text | None = None
    """Path of a file with the PagerDuty integration key, on the machine of Alertmanager. Default: null, no
    PagerDuty."""

    pagerduty_url: Url | None = None
    """URL of the PagerDuty Events API. Default: null, the URL that Alertmanager uses."""

    slack: Slack | None = None
    """Slack channel that receives the alerts. Default: null, no Slack."""

    email: Email | None = None
    """E-mail address that receives the alerts. Default: null, no e-mail."""


def _days(value: object) -> object:
    """Read `mon-fri`, `mon,wed` or a list."""
    if not isinstance(value, str):
        return value
    days: list[str] = []
    for part in value.split(","):
        ends = [next((day for day in DAYS if re.fullmatch(f"{day[:3]}({day[3:]})?", end.strip())), None)
                for end in part.lower().split("-")]  # fmt: skip
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2 or DAYS.index(first) > DAYS.index(last):
            raise ValueError("expected days such as 'mon-fri' or 'mon,wed,fri'")
        days += DAYS[DAYS.index(first) : DAYS.index(last) + 1]
    return days


class Hours(SpecModel):
    """Business hours."""

    zone: str = "UTC"
    """IANA name of the time zone, such as `Europe/Berlin`. Default: UTC."""

    days: Annotated[
        list[Day],
        Field(min_length=1),
        AfterValidator(distinct),
        BeforeValidator(_days, json_schema_input_type=str | Annotated[list[Day], Field(min_length=1)]),
    ] = Field(default=list(DAYS[:5]))
    """Working days: `mon-fri`, `mon,wed` or a list of names. Default: Monday to Friday."""

    start: Start = Field(default="09:00", alias="from")
    """Start of the working day, `HH:MM`. Default: 09:00."""

    end: End = Field(default="17:00", alias="to")
    """End of the working day, `HH:MM`, at most 24:00. Default: 17:00."""

    holidays: Annotated[list[Holiday], AfterValidator(distinct)] = Field(default=[])
    """Dates that are not working days, such as 2026-12-25. Default: none."""

    hold: Literal["alertmanager", "pagerduty"] = "alertmanager"
    """Who holds tickets outside of business hours. `alertmanager` mutes them: a ticket that resolves before opening is
    never delivered. `pagerduty` receives them at once and raises their urgency at opening, which needs the generated
    Terraform. Default: alertmanager."""

    @property
    def longest_closure(self) -> int:
        """Minutes of the longest time for which tickets are muted; 0 if nobody mutes them."""
        if self.hold == "pagerduty":
            return 0
        start, end = (int(time[:2]) * 60 + int(time[3:]) for time in (self.start, self.end))
        longest = 0
        for first in (date(2026, 1, 5), *self.holidays):
            closed: int | None = None  # unknown before the first opening
            for offset in range(-_CLOSURE_DAYS, _CLOSURE_DAYS):
                day = first + timedelta(days=offset)
                if DAYS[day.weekday()] not in self.days or day in self.holidays:
                    closed = None if closed is None else closed + 1440
                    continue
                longest = max(longest, 0 if closed is None else closed + start)
                closed = 1440 - end
            longest = max(longest, closed or 0)
        return longest

    @field_validator("zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        if name not in _time_zones():
            raise ValueError("expected the IANA name of a time zone, such as 'Europe/Berlin'")
        return name

    @model_validator(mode="after")
    def _order(self) -> Hours:
        if self.start >= self.end:
            raise ValueError(f"from {self.start} is not before to {self.end}. Expected a start before the end")
        if self.hold == "pagerduty" and pagerduty_zone(self.zone) is None:
            raise ValueError(
                f"zone {self.zone!r}: PagerDuty has no time zone with this clock, so it can't hold tickets. Use "
                "hold: alertmanager, or a zone of PagerDuty's"
            )
        return self


class Tickets(Receiver):
    """The receiver of tickets, and its business hours."""

    hours: Hours = Hours()
    """When tickets are delivered. Default: Monday to Friday, 09:00 to 17:00 UTC."""


class DeadMan(SpecModel):
    """The dead man's switch: Alertmanager calls it all the time, and it raises an alarm when the calls stop."""

    url: Url | None = None
    """URL that Alertmanager calls. Required, unless `url_file` is given."""

    url_file: Text | None = None
    """Path of a file with the URL, where the URL is a secret; needs Alertmanager 0.26 or newer. Required, unless `url`
    is given."""

    token_file: Text | None = None
    """Path of a file with a bearer token. Default: null, no token."""

    every: Duration = Field(default=60.0, json_schema_extra={"default": "1m"})
    """Time between two calls: whole seconds, from 10s to 1h. Default: 1m."""

    @field_validator("every")
    @classmethod
    def _often(cls, seconds: float) -> float:
        return duration(10, 3600, whole=1)(seconds)

    @model_validator(mode="after")
    def _one(self) -> DeadMan:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("expected either url or url_file")
        return self


DEADMAN_URL: Final = "http://127.0.0.1:9099/"
"""Where `claudescope alerts deadman` listens by default."""


class Routing(SpecModel):
    """Who receives which alert."""

    page: Receiver = Receiver()
    """Receiver of pages, at any time. Default: nobody."""

    ticket: Tickets = Tickets()
    """Receiver of tickets, in business hours. Default: nobody."""

    local: Receiver | None = None
    """Receiver of the pages whose owner is `local`: the cause is in the app's own process. Default: null, these go to
    `page`."""

    deadman: DeadMan | None = None
    """The dead man's switch, which notices when alerting itself is down. Default: null, which stands for `claudescope
    alerts deadman` on the machine of Alertmanager, if `page` has PagerDuty or Slack."""

    @property
    def switch(self) -> DeadMan | None:
        """The dead man's switch, with its default; None if nobody would be told."""
        if self.deadman is None and (self.page.pagerduty_key_file or self.page.slack):
            return DeadMan(url=DEADMAN_URL)
        return self.deadman
