import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpcdns.model.frozen import FrozenMap

EDITS = st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers()), max_size=200)


@given(st.dictionaries(st.integers(0, 60), st.integers()), EDITS)
def test_it_behaves_like_a_dict(start: dict[int, int], edits: list[tuple[bool, int, int]]) -> None:
    """Every version equals a dict that went through the same edits, and no edit changes an older version."""
    frozen, plain = FrozenMap(start), dict(start)
    history = [(frozen, dict(plain))]
    for put, key, value in edits:
        if put:
            frozen = frozen.set(key, value)
            plain[key] = value
        elif key in plain:
            frozen = frozen.delete(key)
            del plain[key]
        else:
            with pytest.raises(KeyError):
                frozen.delete(key)
        history.append((frozen, dict(plain)))
    for version, expected in history:
        assert dict(version.items()) == expected
        assert version == expected
        assert sorted(version) == sorted(expected)
        assert len(version) == len(expected)
        assert bool(version) == bool(expected)
        for key in range(61):
            assert (key in version) == (key in expected)
            assert version.get(key) == expected.get(key)


def test_a_missing_key_is_a_key_error() -> None:
    version = FrozenMap({1: "one"}).delete(1)
    with pytest.raises(KeyError):
        version[1]
    assert repr(FrozenMap({1: "one"})) == "FrozenMap({1: 'one'})"


def test_a_change_does_not_copy_the_base() -> None:
    """A thousand edits of a large map copy far less than a thousand times the map."""
    start = FrozenMap((number, number) for number in range(100_000))
    folds, version = 0, start
    for number in range(1000):
        changed = version.set(number, -1)
        folds += changed._base is not version._base
        version = changed
    assert folds <= 3
    assert len(version) == 100_000
