"""Files of multipart bodies: kept as uploads, so that a record's file fields can refer to them."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from records.forms import save_upload
from records.models import Upload
from webhooks.intake.parsed import IncomingFile

logger = logging.getLogger(__name__)


@contextmanager
def kept_files(files: Sequence[IncomingFile], body: Any) -> Iterator[None]:
    """Keep the files of a request, inside the transaction that stores it, and write their ids beside their names:
    `webhook.body.photo.id`. When that fails, nothing is left on the disk."""
    kept: list[Upload] = []
    try:
        for file in files:
            upload = save_upload(
                SimpleUploadedFile(file.filename, file.content, file.content_type), user=None
            )
            kept.append(upload)
        _write_ids(files, kept, body)
        yield
    except BaseException:
        for upload in kept:
            _remove(upload)
        raise


def _write_ids(files: Sequence[IncomingFile], kept: Sequence[Upload], body: Any) -> None:
    """In the order in which they came: several of one name are a list, among values that are no files."""
    ids: dict[str, list[str]] = {}
    for file, upload in zip(files, kept, strict=True):
        ids.setdefault(file.field, []).append(str(upload.pk))
    for name, found in ids.items():
        value = body[name]
        summaries = [
            each
            for each in (value if isinstance(value, list) else [value])
            if isinstance(each, dict)
        ]
        for summary, pk in zip(summaries, found, strict=True):
            summary["id"] = pk


def _remove(upload: Upload) -> None:
    try:
        upload.file.delete(save=False)
    except OSError:
        logger.exception("The file of %s could not be removed", upload.pk)
