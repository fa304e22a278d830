"""The data that benchmarks work on."""

from records.models import FieldDefinition, ObjectDefinition, Stage


def leads() -> ObjectDefinition:
    """An object with ten fields and three stages, made once."""
    definition, is_new = ObjectDefinition.objects.get_or_create(
        slug="bench_leads", defaults={"name": "Lead", "plural": "Bench leads"}
    )
    if is_new:
        kinds = [
            "text",
            "email",
            "text",
            "currency",
            "phone",
            "url",
            "date",
            "boolean",
            "long_text",
        ]
        names = ["name", "email", "company", "value", "phone", "site", "due", "vip", "notes"]
        for position, (slug, kind) in enumerate(zip(names, kinds, strict=True)):
            FieldDefinition.objects.create(
                object=definition, slug=slug, label=slug.title(), kind=kind, position=position
            )
        for position, slug in enumerate(["new", "contacted", "won"]):
            Stage.objects.create(
                object=definition, slug=slug, label=slug.title(), position=position
            )
    return definition
