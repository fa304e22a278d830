"""The document of an automation: trigger, conditions, steps and settings as one validated JSON value.

    {"trigger": {"type": "field_changed", "config": {"object": "deals", "fields": ["amount"]}},
     "conditions": {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 10000}]},
     "steps": [{"id": "tell", "type": "webhook", "config": {…}}],
     "settings": {"concurrency": {"mode": "queued"}, "on_failure": {"quarantine": true}}}

`read_document` takes all forms that people write (see `automations.document.forms`) and gives this one;
`check_document` tells every mistake in it.
"""

from automations.document.schema import (
    Concurrency,
    Document,
    OnFailure,
    Settings,
    Step,
    TriggerPart,
    child_blocks,
    walk_steps,
)

__all__ = [
    "Concurrency",
    "Document",
    "OnFailure",
    "Settings",
    "Step",
    "TriggerPart",
    "child_blocks",
    "walk_steps",
]
