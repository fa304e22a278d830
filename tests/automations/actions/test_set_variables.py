"""Variables: worked out once, used in later steps."""

import pytest

from tests.automations.making import run_once, step, step_of

pytestmark = pytest.mark.django_db


def test_values_keep_their_types_and_later_steps_see_them() -> None:
    run = run_once(
        step(
            "set_variables",
            variables={"total": "{{ record.amount * 2 }}", "names": ["{{ record.name }}", "x"]},
        ),
        step("set_variables", "s2", variables={"next": "{{ vars.total + 1 }}"}),
        record={"amount": 20},
    )
    assert run.status == "succeeded", run.reason
    assert run.variables["vars"] == {"total": 40, "names": ["Ada", "x"], "next": 41}
    assert step_of(run, "s2").output == {"next": 41}
