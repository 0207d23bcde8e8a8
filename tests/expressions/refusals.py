"""How a refusal is caught."""

from collections.abc import Mapping

import pytest

from openg2g.expressions.read import read_condition
from openg2g.models.errors import FilterError


def refusal(text: str, parameters: Mapping[str, object] | None = None) -> FilterError:
    """Return the error that reading an expression raises."""
    with pytest.raises(FilterError) as caught:
        read_condition(text, parameters)
    assert caught.value.problem in str(caught.value)
    return caught.value
