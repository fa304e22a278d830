"""Addresses that other systems call."""

from django.urls import path

from webhooks.views import inspector

urlpatterns = [
    path("api/webhooks/inspector/<str:token>", inspector, name="inspector"),
]
