from __future__ import annotations

from junctor.codecs.iso8583.cache import SIGHTINGS_TO_COMPILE, SIGHTINGS_TO_DISPLACE, CompiledCache


def key(number: int) -> bytes:
    return number.to_bytes(4, "big")


def fill(cache: CompiledCache[int], count: int) -> None:
    for number in range(count):
        cache.add(key(number), number)


def sightings_until_due(cache: CompiledCache[int], wanted: bytes) -> int:
    return next(count for count in range(1, 1000) if cache.is_due(wanted))


def test_key_is_due_after_it_was_seen_often_enough() -> None:
    assert sightings_until_due(CompiledCache(8), key(1)) == SIGHTINGS_TO_COMPILE


def test_key_needs_more_sightings_once_the_store_has_been_full() -> None:
    cache: CompiledCache[int] = CompiledCache(8)
    fill(cache, 8)
    assert sightings_until_due(cache, key(99)) == SIGHTINGS_TO_DISPLACE
    cache.add(key(99), 99)
    assert sightings_until_due(cache, key(100)) == SIGHTINGS_TO_DISPLACE


def test_store_never_holds_more_than_its_limit() -> None:
    cache: CompiledCache[int] = CompiledCache(8)
    for number in range(100):
        cache.add(key(number), number)
        assert len(cache) <= 8


def test_what_is_asked_for_stays_and_what_is_not_leaves() -> None:
    cache: CompiledCache[int] = CompiledCache(8)
    fill(cache, 4)
    for number in range(100, 200):
        assert cache.find(key(0)) == 0
        cache.add(key(number), number)
    assert cache.find(key(1)) is None
    assert cache.find(key(199)) == 199


def test_sightings_are_counted_for_a_bounded_number_of_keys() -> None:
    cache: CompiledCache[int] = CompiledCache(8)
    for number in range(1000):
        assert not cache.is_due(key(number))
        assert len(cache._counts) <= 8


def test_store_of_no_room_keeps_nothing() -> None:
    for room in (0, 1):
        assert not any(CompiledCache[int](room).is_due(key(1)) for _ in range(1000))
