"""Who can own a record: the first few in the form's drop-down, the others by what somebody types."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse

from records.fieldkinds.references import MAX_OFFERED, UserReference
from records.ids import decode
from records.models import FieldDefinition, Record, User
from records.permissions import can, visible_objects


def first_owners(*others: User | None) -> dict[str, str]:
    """Labels by id: the first users who may log in, and these others."""
    users = {user.pk: str(user) for user in User.objects.active()[:MAX_OFFERED]}
    for user in others:
        if user is not None:
            users.setdefault(user.pk, str(user))
    return users


def owner_choices(request: HttpRequest) -> JsonResponse:
    """The owners that `q` leads to: `{"choices": [[id, label], …]}`. For those who may save some record."""
    objects = visible_objects(request.user)
    if not any(can(request.user, need, one) for one in objects for need in ("add", "change")):
        raise PermissionDenied
    query = request.GET.get("q", "").replace("\x00", "")[:100]
    # As a user field of a record is searched, whichever field that is.
    found: QuerySet[User] = UserReference().search(FieldDefinition(), query)
    response = JsonResponse({"choices": [[user.pk, str(user)] for user in found[:MAX_OFFERED]]})
    response["Cache-Control"] = "private, no-cache"
    return response


def owner_of(pk: str, record: Record | None) -> User | None:
    """The user with this id, if a record may be given to them: active, or its owner as it is."""
    try:
        decode("user", pk)
    except ValueError:
        return None
    user: User | None = User.objects.filter(pk=pk).first()
    if user is None or user.is_active or (record is not None and record.owner_id == user.pk):
        return user
    return None
