"""The builder: what people do to the draft of an automation, and what its page needs to show it.

Every edit is a POST that changes the draft (`automations.builder.edits` and `cases`, pure) and keeps it
(`automations.builder.saving`). Forms are made from what the configs of steps and triggers declare
(`automations.builder.fields` and `.inputs`); the page's names, values and mistakes come from `.names`, `.values` and
`.mistakes`.
"""
