"""What people have been told: the list, opening one, marking as read. The admin's pages post here too."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from records.notifications import find, mark_read, page_of
from records.views.layout import render_page


@login_required
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    page = page_of(request.user, before=request.GET.get("before", ""))
    context = {"page": page, "is_older": "before" in request.GET}
    return render_page(request, "records/notifications.html", context, section="notifications")


@login_required
@require_POST
def notification_open(request: HttpRequest, notification_id: str) -> HttpResponse:
    """Mark one as read and go where it leads."""
    notification = find(request.user, notification_id)
    if notification is None:
        raise Http404
    mark_read(request.user, only=notification.pk)
    return HttpResponseRedirect(_safe(notification.url) or _back(request))


@login_required
@require_POST
def notification_read(request: HttpRequest, notification_id: str) -> HttpResponse:
    if find(request.user, notification_id) is None:
        raise Http404
    mark_read(request.user, only=notification_id)
    return HttpResponseRedirect(_back(request))


@login_required
@require_POST
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Mark all that the person has seen as read: what came after they opened the page stays new."""
    count = mark_read(request.user, up_to=request.POST.get("up_to", ""))
    words = "1 notification" if count == 1 else f"{count:,} notifications"
    messages.success(request, f"{words} marked as read.")
    return HttpResponseRedirect(_back(request))


def _back(request: HttpRequest) -> str:
    return _safe(request.POST.get("next", "")) or reverse("notifications")


def _safe(url: str) -> str:
    """A path of this installation, or "" for what leads elsewhere."""
    is_path = url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return url if is_path else ""
