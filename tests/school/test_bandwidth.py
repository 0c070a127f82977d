"""The table, what lies between its rows, and what lies outside."""

import pytest

from appliance.school.bandwidth import RECOMMENDED_MBIT_S, recommended_mbit_s


@pytest.mark.parametrize(("pupils", "mbit_s"), RECOMMENDED_MBIT_S.items())
def test_the_rows_of_the_table_are_given_as_they_stand(pupils: int, mbit_s: int) -> None:
    assert recommended_mbit_s(pupils) == mbit_s


@pytest.mark.parametrize(("pupils", "mbit_s"), [(1, 2), (30, 54), (150, 270), (420, 466), (1225, 772), (1750, 957)])
def test_other_sizes_follow_the_rows_beside_them(pupils: int, mbit_s: int) -> None:
    assert recommended_mbit_s(pupils) == mbit_s


def test_more_pupils_never_need_less() -> None:
    needed = [recommended_mbit_s(pupils) or 0 for pupils in range(1, 2_000)]
    assert needed == sorted(needed)


def test_a_school_without_known_pupils_has_no_recommendation() -> None:
    assert recommended_mbit_s(0) is None
