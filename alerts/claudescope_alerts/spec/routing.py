"""The part of a spec that says who receives which alert, and when."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from claudescope_alerts.spec.fields import Duration, SpecModel

__all__ = ["DAYS", "Day", "DeadMan", "Email", "Hours", "Receiver", "Routing", "Slack", "Tickets"]

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: Final[tuple[Day, ...]] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Slack(SpecModel):
    """A Slack channel. Alertmanager reads the webhook's URL from a file."""

    channel: str
    """Channel that receives the alerts, such as `"#oncall"`. Required."""

    api_url_file: str
    """Path of a file with the URL of the webhook, on the machine of Alertmanager. Required."""


class Email(SpecModel):
    """An e-mail address, and the server that delivers to it."""

    to: str
    """Address that receives the alerts. Required."""

    sender: str
    """Address that sends the alerts. Required."""

    smarthost: str = Field(pattern=r"^[^:\s]+:\d+$")
    """Host and port of the SMTP server, such as `mail.example.com:587`. Required."""

    username: str | None = None
    """User name at the SMTP server. Default: null, no login."""

    password_file: str | None = None
    """Path of a file with the password at the SMTP server, on the machine of Alertmanager. Default: null, no
    password."""


class Receiver(SpecModel):
    """Where alerts go. Alertmanager reads keys from files, so the generated files hold no secret."""

    pagerduty_key_file: str | None = None
    """Path of a file with the PagerDuty integration key, on the machine of Alertmanager. Default: null, no
    PagerDuty."""

    pagerduty_url: str | None = None
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

    days: Annotated[list[Day], BeforeValidator(_days, json_schema_input_type=str | list[Day])] = Field(
        default=list(DAYS[:5])
    )
    """Working days: `mon-fri`, `mon,wed` or a list of names. Default: Monday to Friday."""

    start: str = Field(default="09:00", alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """Start of the working day, `HH:MM`. Default: 09:00."""

    end: str = Field(default="17:00", alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
    """End of the working day, `HH:MM`, at most 24:00. Default: 17:00."""

    holidays: list[date] = Field(default=[])
    """Dates that are not working days, such as 2026-12-25. Default: none."""

    hold: Literal["alertmanager", "pagerduty"] = "alertmanager"
    """Who holds tickets outside of business hours. `alertmanager` mutes them: a ticket that resolves before opening is
    never delivered. `pagerduty` receives them at once and raises their urgency at opening, which needs the generated
    Terraform. Default: alertmanager."""

    @field_validator("zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("expected the IANA name of a time zone, such as 'Europe/Berlin'") from None
        return name

    @model_validator(mode="after")
    def _order(self) -> Hours:
        if self.start >= self.end:
            raise ValueError(f"from {self.start} is not before to {self.end}. Expected a start before the end")
        return self


class Tickets(Receiver):
    """The receiver of tickets, and its business hours."""

    hours: Hours = Hours()
    """When tickets are delivered. Default: Monday to Friday, 09:00 to 17:00 UTC."""


class DeadMan(SpecModel):
    """The dead man's switch: Alertmanager calls it all the time, and it raises an alarm when the calls stop."""

    url: str | None = None
    """URL that Alertmanager calls. Required, unless `url_file` is given."""

    url_file: str | None = None
    """Path of a file with the URL, where the URL is a secret; needs Alertmanager 0.26 or newer. Required, unless `url`
    is given."""

    token_file: str | None = None
    """Path of a file with a bearer token. Default: null, no token."""

    every: Duration = Field(default=60.0, json_schema_extra={"default": "1m"})
    """Time between two calls. Default: 1m."""

    @model_validator(mode="after")
    def _one(self) -> DeadMan:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("expected either url or url_file")
        return self


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
    """The dead man's switch, which notices when alerting itself is down. Default: null, no switch."""
