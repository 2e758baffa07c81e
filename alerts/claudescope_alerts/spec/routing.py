"""The part of a spec that says who gets which alert, and when."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from claudescope._internal.yaml_model import Duration

__all__ = ["DAYS", "Day", "DeadMan", "Email", "Hours", "Receiver", "Routing", "Slack", "SpecModel", "Tickets"]

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: Final[tuple[Day, ...]] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class SpecModel(BaseModel):
    """A section of a spec: unknown keys are mistakes, and what was read stays as it was."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Slack(SpecModel):
    """A Slack channel; the webhook's URL is read from a file."""

    channel: str
    api_url_file: str


class Email(SpecModel):
    """An e-mail address and the server that delivers to it."""

    to: str
    sender: str
    smarthost: str = Field(pattern=r"^[^:\s]+:\d+$")
    username: str | None = None
    password_file: str | None = None


class Receiver(SpecModel):
    """Where alerts of one kind go. Keys are read from files by Alertmanager and never appear in what is generated."""

    pagerduty_key_file: str | None = None
    pagerduty_url: str | None = None
    slack: Slack | None = None
    email: Email | None = None


def _days(value: object) -> object:
    """`mon-fri`, `mon,wed` or a list."""
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
    """Business hours.

    Attributes:
        zone: IANA name of the time zone.
        days: Working days: `mon-fri`, `mon,wed` or a list.
        from: Start, `HH:MM`.
        to: End, `HH:MM`, up to 24:00.
        holidays: Days off.
        hold: Who holds tickets outside of them. `alertmanager` mutes: what resolves before opening is never delivered.
            `pagerduty` delivers at once to a service that waits with its urgency; it takes the generated Terraform.
    """

    zone: str = "UTC"
    days: Annotated[list[Day], BeforeValidator(_days, json_schema_input_type=str | list[Day])] = list(DAYS[:5])
    start: str = Field(default="09:00", alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(default="17:00", alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
    holidays: list[date] = []
    hold: Literal["alertmanager", "pagerduty"] = "alertmanager"

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
            raise ValueError(f"from {self.start} is not before to {self.end}")
        return self


class Tickets(Receiver):
    """The receiver of tickets, and when it takes them."""

    hours: Hours = Hours()


class DeadMan(SpecModel):
    """What notices that alerting itself is down: it is called all the time, and alarms when calls stop.

    Attributes:
        url: Its address.
        url_file: A file with the address, where that is a secret; Alertmanager 0.26 or newer.
        token_file: A file with a bearer token.
        every: Time between calls.
    """

    url: str | None = None
    url_file: str | None = None
    token_file: str | None = None
    every: Duration = 60.0

    @model_validator(mode="after")
    def _one(self) -> DeadMan:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("expected one of url and url_file")
        return self


class Routing(SpecModel):
    """Who gets what.

    Attributes:
        page: Receiver of pages (P0), at any time.
        ticket: Receiver of tickets, in business hours.
        local: Receiver of what is the fault of the app's own process; where it is missing, page and ticket get it.
        deadman: What notices that alerting is down.
    """

    page: Receiver = Receiver()
    ticket: Tickets = Tickets()
    local: Receiver | None = None
    deadman: DeadMan | None = None
