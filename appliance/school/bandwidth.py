"""What a school's line should carry, by the number of its pupils.

Source: the interim recommended bandwidth of the Ministry of Education (MEXT), which gives eight sizes of school.
"""

from itertools import pairwise

RECOMMENDED_MBIT_S = {60: 108, 120: 216, 180: 323, 280: 408, 560: 525, 770: 607, 1050: 711, 1400: 834}
"""Pupils -> Mbit/s, download, of the whole school's line."""


def recommended_mbit_s(pupils: int) -> int | None:
    """The recommended bandwidth in Mbit/s; None for a school of which no pupils are known.

    Between two sizes of the table it is interpolated, below the first it falls to nothing with the pupils, and beyond
    the last it goes on rising as it did before: the table says no word of these.
    """
    if pupils <= 0:
        return None
    sizes = [(0, 0), *RECOMMENDED_MBIT_S.items()]
    for (fewer, less), (more, most) in pairwise(sizes):
        if pupils <= more or more == sizes[-1][0]:
            return round(less + (most - less) * (pupils - fewer) / (more - fewer))
    raise AssertionError  # the last size takes whatever is left
