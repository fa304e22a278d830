"""Where runs have their pages, for the apps below that name runs without knowing of them."""

from django.http import HttpRequest
from django.urls import reverse

from automations.tracenodes import anchor_of
from records import actorlinks
from records.models import User
from webhooks.runlinks import register_run_links


@actorlinks.register
def run_page(request: HttpRequest, run_id: str) -> str:
    if not may_see_runs(request):
        return ""
    return reverse("admin:automations_run_change", args=[run_id])


@register_run_links
def step_page(request: HttpRequest, run_id: str, step_path: str) -> str:
    page = run_page(request, run_id)
    return f"{page}#{anchor_of(step_path)}" if page and step_path else page


def may_see_runs(request: HttpRequest) -> bool:
    user = request.user
    return (
        isinstance(user, User)
        and user.is_staff
        and (user.has_perm("automations.view_run") or user.has_perm("automations.change_run"))
    )
