"""The demo's records. Everybody in it is made up; the addresses are of names that nobody can own (RFC 2606)."""

from datetime import date, timedelta
from typing import Any, Final

from django.utils import timezone

from records.models import Record, User
from records.services import close_record, create_record, move_stage
from webhooks.demo.objects import COMPANIES, LEADS, TICKETS, Definitions

# name, industry, city, employees, stage
_COMPANIES: Final = (
    ("Northwind Rail", "rail", "Hamburg", 1240, "customer"),
    ("Halden & Sons", "manufacturing", "Bergen", 86, "prospect"),
    ("Brightline Energy", "energy", "Rotterdam", 430, "prospect"),
    ("Kestrel Software", "software", "Dublin", 58, "customer"),
    ("Orchard Street Market", "retail", "Leeds", 34, "customer"),
    ("Meridian Signals", "rail", "Zürich", 310, "prospect"),
    ("Tallow & Finch", "retail", "Porto", 19, "former"),
    ("Lumen Works", "manufacturing", "Brno", 152, "customer"),
)

# name, company (by its place above), value, priority, source, days until the next contact, stage, notes
_LEADS: Final = (
    ("Jane Smith", 3, 24000, "high", "website", 2, "new", "Asked for a demo of the webhooks."),
    (
        "Mara Lindqvist",
        0,
        86000,
        "high",
        "trade_fair",
        1,
        "qualified",
        "Wants a pilot at two yards.",
    ),
    ("Tomás Ferreira", 6, 3200, "low", "newsletter", 14, "new", ""),
    ("Aiko Tanaka", 5, 54000, "normal", "referral", 3, "contacted", "Referred by Northwind Rail."),
    ("Oluwaseun Adeyemi", 2, 41500, "normal", "website", 5, "new", ""),
    (
        "Clara Hoffmann",
        0,
        18900,
        "normal",
        "cold_call",
        7,
        "contacted",
        "Call back after the audit.",
    ),
    ("Liam O’Connor", 3, 12500, "normal", "website", 4, "won", "Signed for one year."),
    ("Sofia Rossi", 7, 27300, "normal", "trade_fair", 6, "qualified", ""),
    ("Henrik Solberg", 1, 9800, "low", "cold_call", 21, "new", "No budget before spring."),
    ("Priya Raman", 2, 62000, "high", "referral", 1, "contacted", "Needs signed requests."),
    ("Emil Novák", 7, 15400, "normal", "website", 8, "new", ""),
    ("Grace Whitfield", 4, 4700, "low", "newsletter", 10, "lost", "Stays with spreadsheets."),
    ("Noor El-Amin", 5, 33800, "normal", "trade_fair", 3, "qualified", ""),
    ("Diego Márquez", 6, 2100, "low", "website", 12, "new", ""),
    ("Ingrid Vestergaard", 0, 71200, "high", "referral", 2, "qualified", "Decides this quarter."),
    ("Samuel Okoro", 3, 8600, "normal", "website", 9, "contacted", ""),
    ("Yara Haddad", 2, 19500, "normal", "cold_call", 11, "new", "Prefers e-mail."),
    ("Piotr Zieliński", 7, 22800, "normal", "trade_fair", 5, "contacted", ""),
    ("Amélie Laurent", 4, 6400, "low", "newsletter", 16, "new", ""),
    ("Kofi Mensah", 5, 47900, "high", "website", 2, "new", "Compares us with two others."),
    ("Hanna Virtanen", 1, 11700, "normal", "referral", 6, "won", "Starts with three users."),
    ("Lucas Meyer", 0, 38600, "normal", "website", 4, "new", ""),
    ("Zoë Papadakis", 4, 5300, "low", "cold_call", 18, "lost", "Closed the shop."),
    ("Arjun Mehta", 3, 29400, "normal", "referral", 3, "contacted", ""),
    ("Freya Nyström", 2, 51000, "normal", "trade_fair", 1, "new", "Met at the energy fair."),
)
# Those who move on to another stage once they are there, so that the history has something to tell.
_MOVES: Final = {"Aiko Tanaka": "qualified", "Priya Raman": "qualified", "Emil Novák": "contacted"}

# subject, company, urgency, stage, description
_TICKETS: Final = (
    ("Invoice shows the old address", 4, "low", "solved", "We moved in March."),
    ("Export stops at 10,000 rows", 0, "high", "open", "The file ends without a word of warning."),
    ("Two users see each other’s drafts", 3, "urgent", "open", "Only in the shared yard account."),
    ("How do we rotate the signing secret?", 7, "medium", "waiting", "Both must work for a day."),
    ("Date field refuses 29 February", 0, "medium", "solved", "2028 is a leap year."),
    ("Please delete our test records", 3, "low", "solved", "Everything that begins with “zz”."),
    ("Webhook arrives twice", 7, "high", "waiting", "Same webhook-id both times; is that meant?"),
    ("Colour of the stage “Waiting”", 4, "low", "open", "Hard to tell from “Open” in sunlight."),
    ("Search does not find umlauts", 0, "medium", "open", "“Zurich” should find “Zürich”."),
    ("Login from the depot tablet fails", 0, "urgent", "waiting", "Since the update on Tuesday."),
    ("Add a field for the contract number", 7, "medium", "open", "Ten digits, unique."),
    ("Who changed this record?", 3, "low", "solved", "Found it in the history, thank you."),
)


def make_records(definitions: Definitions, users: list[User]) -> int:
    """All records, in the order in which they would have come. How many."""
    companies = [_make_company(definitions, row) for row in _COMPANIES]
    leads = [
        _make_lead(definitions, row, companies, _owner(users, number))
        for number, row in enumerate(_LEADS)
    ]
    tickets = [
        _make_ticket(definitions, row, companies, _owner(users, number))
        for number, row in enumerate(_TICKETS)
    ]
    for lead in leads:
        if lead.data["name"] in _MOVES:
            move_stage(record=lead, stage=_MOVES[lead.data["name"]])
    for ticket in tickets:
        if ticket.stage == "solved":
            close_record(record=ticket)
    return len(companies) + len(leads) + len(tickets)


def _make_company(definitions: Definitions, row: tuple[Any, ...]) -> Record:
    name, industry, city, employees, stage = row
    data = {
        "name": name,
        "website": f"https://www.{_domain(name)}",
        "industry": industry,
        "city": city,
        "employees": employees,
    }
    return create_record(object_definition=definitions[COMPANIES], data=data, stage=stage)


def _make_lead(
    definitions: Definitions, row: tuple[Any, ...], companies: list[Record], owner: User | None
) -> Record:
    name, company, value, priority, source, days, stage, notes = row
    data = {
        "name": name,
        "email": f"{_plain(name.split()[0])}@{_domain(companies[company].title)}",
        "phone": f"+49 30 5550 {1200 + value % 700}",
        "company": companies[company].pk,
        "estimated_value": value,
        "priority": priority,
        "source": source,
        "next_contact": (_today() + timedelta(days=days)).isoformat(),
        "notes": notes,
    }
    definition = definitions[LEADS]
    return create_record(object_definition=definition, data=data, stage=stage, owner=owner)


def _make_ticket(
    definitions: Definitions, row: tuple[Any, ...], companies: list[Record], owner: User | None
) -> Record:
    subject, company, urgency, stage, description = row
    data = {
        "subject": subject,
        "company": companies[company].pk,
        "requester": f"office@{_domain(companies[company].title)}",
        "urgency": urgency,
        "description": description,
    }
    definition = definitions[TICKETS]
    return create_record(object_definition=definition, data=data, stage=stage, owner=owner)


def _owner(users: list[User], number: int) -> User | None:
    """Most are the end user's, some the administrator's, a few nobody's."""
    if not users or number % 5 == 4:
        return None
    return users[0] if number % 3 == 2 else users[-1]


def _today() -> date:
    return timezone.localdate()


def _domain(company: str) -> str:
    return f"{_plain(company).replace(' & ', '-').replace(' ', '-')}.example"


def _plain(text: str) -> str:
    """Letters that an address can have."""
    table = str.maketrans("áéíóúüöèêëńñø’ã", "aeiouuoeeennoxa", "’")
    return text.lower().translate(table)
