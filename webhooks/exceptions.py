"""What can be refused in webhooks; the docstring is the message."""


class JobRefused(Exception):
    """The job can't be changed now."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__class__.__doc__)


class JobIsBeingSent(JobRefused):
    """This job is being sent right now. Wait until its attempt has ended, then try again."""


class JobHasEnded(JobRefused):
    """This job has ended; there is nothing left to cancel."""


class JobWasDelivered(JobRefused):
    """This job was delivered; only a failed, cancelled or pending job can be sent again."""


class FilterSaysNo(JobRefused):
    """The webhook's filter, as it is now, leaves this event out, so there is nothing to send."""


class JobWentOn(JobRefused):
    """This job has been tried again since you opened it. Look at what came of that first."""


class RequestWasNeverMade(JobRefused):
    """This request was never made, and its webhook or event is gone. Fill it in with “Edit and retry”."""


class SecretIsNotTheirs(JobRefused):
    """An edit can't bring in a secret that neither the job nor its webhook uses. Change the webhook instead."""


class SecretGoesElsewhere(JobRefused):
    """This request carries secrets. Only who may change webhooks can send it to another host."""


class DestinationRefused(Exception):
    """This can't be done with the destination now."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__class__.__doc__)


class DestinationIsNotPaused(DestinationRefused):
    """This destination is not paused, so there is nothing to probe or to close."""


class DestinationIsNotDisabled(DestinationRefused):
    """This destination is enabled already."""


class DestinationIsDisabled(DestinationRefused):
    """This destination is disabled already."""


class SecretRefused(Exception):
    """The secret can't be kept like this."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__class__.__doc__)
