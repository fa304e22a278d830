"""The pages of end users."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from records.views import (
    account,
    actions,
    commands,
    comments,
    files,
    forms,
    home,
    invitations,
    lists,
    notifications,
    records,
    tasks,
)

_RECORD = "o/<slug:slug>/<str:record_id>/"

urlpatterns = [
    path("", home.home, name="home"),
    path("favicon.ico", home.favicon),
    path("login/", account.log_in, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", account.change_password, name="password_change"),
    path("notifications/", notifications.notification_list, name="notifications"),
    path("notifications/read/", notifications.notifications_read, name="notifications_read"),
    path(
        "notifications/<str:notification_id>/open/",
        notifications.notification_open,
        name="notification_open",
    ),
    path(
        "notifications/<str:notification_id>/read/",
        notifications.notification_read,
        name="notification_read",
    ),
    path("invitations/<str:token>/", invitations.invitation_page, name="invitation"),
    path(
        "invitations/<str:token>/decline/",
        invitations.invitation_decline,
        name="invitation_decline",
    ),
    path("tasks/<str:task_id>/tick/", tasks.task_tick, name="task_tick"),
    path("tasks/<str:task_id>/edit/", tasks.task_edit, name="task_edit"),
    path("tasks/<str:task_id>/delete/", tasks.task_delete, name="task_delete"),
    path("files/<str:upload_id>/", files.file_download, name="file_download"),
    path("fields/<int:field_id>/choices/", forms.field_choices, name="field_choices"),
    path("o/<slug:slug>/", lists.record_list, name="record_list"),
    path("o/<slug:slug>/new/", forms.record_new, name="record_new"),
    path("o/<slug:slug>/deleted/", lists.record_deleted, name="record_deleted"),
    path("o/<slug:slug>/commands/", commands.record_command, name="record_command"),
    path(_RECORD, records.record_detail, name="record_detail"),
    path(f"{_RECORD}history/", records.record_history, name="record_history"),
    path(f"{_RECORD}edit/", forms.record_edit, name="record_edit"),
    path(f"{_RECORD}submit/", actions.record_submit, name="record_submit"),
    path(f"{_RECORD}close/", actions.record_close, name="record_close"),
    path(f"{_RECORD}reopen/", actions.record_reopen, name="record_reopen"),
    path(f"{_RECORD}move/", actions.record_move, name="record_move"),
    path(f"{_RECORD}delete/", actions.record_delete, name="record_delete"),
    path(f"{_RECORD}restore/", actions.record_restore, name="record_restore"),
    path(f"{_RECORD}release/", actions.record_release, name="record_release"),
    path(f"{_RECORD}tasks/", tasks.task_add, name="task_add"),
    path(f"{_RECORD}participants/", comments.participants_change, name="participants_change"),
    path(f"{_RECORD}comments/", comments.comment_add, name="comment_add"),
    path(f"{_RECORD}comments/<str:comment_id>/edit/", comments.comment_edit, name="comment_edit"),
    path(
        f"{_RECORD}comments/<str:comment_id>/delete/",
        comments.comment_delete,
        name="comment_delete",
    ),
]
