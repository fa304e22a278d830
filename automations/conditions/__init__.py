"""Conditions: whether an automation goes on, and for the trace which rule said what. Pure.

A document is nested groups of rules, or one expression; None and {} are always true:

    {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 10000},
                               {"match": "any", "rules": [{"field": "stage", "operator": "changed"}, …]}]}
    {"expression": "record.amount > 10000 and previous.stage != record.stage"}

A field is a dotted path into what expressions see, list indexes included: `webhook.body.items.0.sku`; a first name
that is none of those is a field of the record. A value is JSON; a text in it with `{{ … }}` is rendered, typed.

How values are compared
- Numbers by their exact decimal value; the text "10" counts as the number wherever a number is meant. Yes and no
  are no numbers, but the texts true, false, yes and no count as them. NaN, infinity and numbers of more than 154
  digits can't be compared.
- Dates and moments also as ISO 8601 text. A moment without a time zone is in that of `Facts.now`. A date meets a
  moment as a day: the moment's, in that zone.
- Texts are equal only to the letter; `contains`, `starts_with` and `ends_with` ignore case. `matches` finds its pattern
  anywhere, minding case, in time linear to the text. A number where text is meant counts as written.
- Lists are equal whatever their order (in JSON fields, only in order); `contains` and `in` ask for their entries.
- None, blank text and an empty list or object are all empty, and equal to each other. No and 0 are not empty; a yes/no
  field that was never answered is no.
- Something with an id, such as a linked record or the actor, counts as its id.
- What a text or an empty value lacks (`company.name` without a company), and what free JSON lacks
  (`webhook.body.emial`), is empty, with a note. A name that Signalbox knows not to be there is a mistake.

A rule that can't be decided (a size of a text, an unknown name) is false with a note; so is its opposite.
"""

from automations.conditions.compiled import Conditions, check_conditions, compile_conditions
from automations.conditions.facts import ROOTS, Facts
from automations.conditions.mistakes import ConditionProblem, Mistake
from automations.conditions.operators import OPERATORS, Operator
from automations.conditions.values import CompareType
from automations.conditions.words import describe

__all__ = [
    "OPERATORS",
    "ROOTS",
    "CompareType",
    "ConditionProblem",
    "Conditions",
    "Facts",
    "Mistake",
    "Operator",
    "check_conditions",
    "compile_conditions",
    "describe",
]
