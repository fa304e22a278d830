"""Addresses that other systems call."""

from django.urls import path

from webhooks import views

urlpatterns = [
    path("api/webhooks/automation/<str:address>", views.automation, name="inbound_automation"),
    path("api/webhooks/test/<str:token>", views.test, name="inbound_test"),
    path("api/webhooks/form/<str:token>", views.form, name="inbound_form"),
    path("api/webhooks/inspector/<str:token>", views.inspector, name="inspector"),
    path("api/webhooks/status/<str:token>", views.status, name="inbound_status"),
    path("api/webhooks/<path:rest>", views.nothing),
]
