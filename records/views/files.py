"""Downloads: a file is given to who may see a record that holds it."""

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.db.models.lookups import Exact
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from records.columns import JSONText
from records.ids import decode
from records.models import FieldDefinition, FieldKind, Record, Upload
from records.permissions import Anyone, visible_objects


@login_required
@require_safe
def file_download(request: HttpRequest, upload_id: str) -> FileResponse:
    """Always as an attachment: a file that somebody uploaded is never shown as a page of ours."""
    try:
        decode("file", upload_id)
    except ValueError:
        raise Http404 from None
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None or not _may_see(request.user, upload):
        raise Http404
    try:
        opened = upload.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        opened,
        as_attachment=True,
        filename=upload.name,
        content_type="application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-cache"
    return response


def _may_see(user: Anyone, upload: Upload) -> bool:
    """Whether a record of an object that the user may see holds this file now."""
    fields = FieldDefinition.objects.filter(kind=FieldKind.FILE, object__in=visible_objects(user))
    held = Q(pk__in=[])
    for object_id, slug in fields.values_list("object_id", "slug"):
        held |= Q(object=object_id) & Q(Exact(JSONText(slug), upload.pk))
    return Record.objects.filter(held).exists()
