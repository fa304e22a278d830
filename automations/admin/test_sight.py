"""Whether a draft looks at records, behind links, that a person may not see: then its values are not shown."""

import json
import re
from collections.abc import Mapping
from typing import Any

from records.models import FieldDefinition, FieldKind, ObjectDefinition, User
from records.permissions import visible_objects


def looks_behind(
    document: Mapping[str, Any], definition: ObjectDefinition | None, user: User
) -> bool:
    """Whether anything in its conditions and steps names a link to such records. Rather once too often."""
    visible = set(visible_objects(user).values_list("slug", flat=True))
    if definition is not None and definition.slug not in visible:
        return True
    links = FieldDefinition.objects.filter(kind=FieldKind.LINK).values_list("slug", "options")
    hidden = {slug for slug, options in links if options.get("object") not in visible}
    if not hidden:
        return False
    parts = [document.get("conditions"), document.get("steps"), document.get("settings")]
    words = set(re.findall(r"\w+", json.dumps(parts, ensure_ascii=False)))
    return not hidden.isdisjoint(words)
