"""Who may do what: Django's permissions, one for each object and action, given to people through groups."""

from typing import Final, Literal

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from records.models import ObjectDefinition, Record, User
from records.models.objects import ObjectDefinitionQuerySet
from records.models.people import UserQuerySet

Action = Literal["view", "add", "change", "move", "close", "delete"]
Anyone = User | AnonymousUser | AbstractBaseUser

# action → how the permission is called, and the permission for the records of all objects that includes it.
ACTIONS: Final[dict[str, tuple[str, str]]] = {
    "view": ("Can view {}", "view_record"),
    "add": ("Can add {}", "add_record"),
    "change": ("Can change {}", "change_record"),
    "move": ("Can move {} to another stage", "change_record"),
    "close": ("Can close and reopen {}", "change_record"),
    "delete": ("Can delete and restore {}", "delete_record"),
}


def can(user: Anyone, action: Action, object_definition: ObjectDefinition) -> bool:
    """Whether a user may do this with the records of an object. Who may change them may see them."""
    own = f"records.{action}_{object_definition.slug}"
    if _has(user, own) or _has(user, f"records.{ACTIONS[action][1]}"):
        return True
    return action == "view" and can(user, "change", object_definition)


def visible_objects(user: Anyone) -> ObjectDefinitionQuerySet:
    """The objects (not deleted) whose records a user may see."""
    objects = ObjectDefinition.objects.alive()
    if _has(user, "records.view_record") or _has(user, "records.change_record"):
        return objects
    if not isinstance(user, User) and not getattr(user, "is_authenticated", False):
        return objects.none()
    granted = user.get_all_permissions()  # type: ignore[union-attr]
    slugs = {
        name.removeprefix(f"records.{action}_")
        for name in granted
        for action in ("view", "change")
        if name.startswith(f"records.{action}_")
    }
    return objects.filter(slug__in=slugs)


def people_who_can(action: Action, object_definition: ObjectDefinition) -> UserQuerySet:
    """The active users of whom `can` holds: one query."""
    actions: list[Action] = ["view", "change"] if action == "view" else [action]
    codenames = [permission_codename(one, object_definition) for one in actions]
    codenames += [ACTIONS[one][1] for one in actions]
    granted = Permission.objects.filter(content_type=_content_type(), codename__in=codenames)
    themselves = User.objects.filter(user_permissions__in=granted)
    by_team = User.objects.filter(groups__permissions__in=granted)
    people: UserQuerySet = User.objects.active().filter(
        Q(is_superuser=True) | Q(pk__in=themselves.values("pk")) | Q(pk__in=by_team.values("pk"))
    )
    return people


def permission_codename(action: Action, object_definition: ObjectDefinition) -> str:
    return f"{action}_{object_definition.slug}"


def permissions_of(object_definition: ObjectDefinition) -> dict[str, Permission]:
    """codename → permission, of one object."""
    codenames = [f"{action}_{object_definition.slug}" for action in ACTIONS]
    rows = Permission.objects.filter(content_type=_content_type(), codename__in=codenames)
    return {row.codename: row for row in rows}


def sync_permissions(object_definition: ObjectDefinition, *, old_slug: str = "") -> None:
    """An object that is new or renamed gets its permissions; who had them under an old name keeps them."""
    slugs = {old_slug, object_definition.slug} - {""}
    codenames = [f"{action}_{slug}" for action in ACTIONS for slug in slugs]
    rows = Permission.objects.filter(content_type=_content_type(), codename__in=codenames)
    found = {row.codename: row for row in rows}
    for action, (text, _) in ACTIONS.items():
        codename = f"{action}_{object_definition.slug}"
        name = text.format(object_definition.plural)
        row = found.get(codename) or found.get(f"{action}_{old_slug}") or Permission()
        if (row.codename, row.name) != (codename, name):
            row.content_type, row.codename, row.name = _content_type(), codename, name
            row.save()


def remove_permissions(object_definition: ObjectDefinition) -> None:
    """With the object, gone for good, go its permissions."""
    codenames = [f"{action}_{object_definition.slug}" for action in ACTIONS]
    Permission.objects.filter(content_type=_content_type(), codename__in=codenames).delete()


def _has(user: Anyone, permission: str) -> bool:
    return bool(user.has_perm(permission))  # type: ignore[union-attr]


def _content_type() -> ContentType:
    return ContentType.objects.get_for_model(Record)
