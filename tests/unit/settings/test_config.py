"""What an administrator wrote under `config/`: absent, understood, or a fault, and never an exception."""

import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from conveyor.config import Config, read_config
from conveyor.domain import keys
from conveyor.money.prices import PRICES
from conveyor.s3.bucket import Bucket
from conveyor.settings.budgets import Budget, Budgets
from tests.support.fake_aws import FakeBucket, client, failure

LIMITS = b'{"projects": {"team-a": {"usd_per_day": 9}}}'


def config_of(**files: bytes) -> tuple[Config, list[str]]:
    """Return what some files say, by their names without suffix, and the requests that this took."""
    bucket = FakeBucket()
    bucket.objects = {f"config/{name}.json": data for name, data in files.items()}
    return read_config(Bucket(bucket.client, "bucket")), bucket.requests


def refusing(*refused: str, status: int, code: str) -> Bucket:
    """Return a bucket with limits that refuses some requests, by method."""
    bucket = FakeBucket()
    bucket.objects[keys.BUDGETS] = LIMITS

    def serve(request: Any) -> AWSResponse:
        kind = "GET" if "list-type" not in request.url else "LIST"
        return failure(status, code) if kind in refused else bucket.serve(request)

    return Bucket(client("s3", serve), "bucket")


def test_without_files_there_are_no_limits_and_one_listing_shows_it() -> None:
    """Every drop costs one listing where nobody wrote anything."""
    assert config_of() == (Config(Budgets()), ["LIST config/"])


def test_a_file_that_exists_is_read_once() -> None:
    """Every other object under config/ is left alone."""
    config, requests = config_of(budgets=LIMITS, notes=b"")
    assert config.budgets.of("team-a") == Budget(usd_per_day=Decimal(9))
    assert (config.faults, config.knows_projects) == ((), True)
    assert requests == ["LIST config/", "GET config/budgets.json"]


def test_a15_limits_that_are_not_understood_are_a_fault_and_not_absent() -> None:
    """A15: raising fails every task of every run; taking them for absent lifts every ceiling."""
    config, _ = config_of(budgets=b'{"default": {"usd_per_dropp": 5}}')
    fault = 'config/budgets.json: default: unknown field "usd_per_dropp"; did you mean "usd_per_drop"?'
    assert config == Config(Budgets(), faults=(fault,), knows_projects=False)


@pytest.mark.parametrize(
    ("refused", "fault"),
    [
        ("GET", "config/budgets.json cannot be read (HTTP 403 AccessDenied)"),
        ("LIST", "config/ cannot be listed (HTTP 403 AccessDenied)"),
    ],
)
def test_a15_limits_that_may_not_be_read_are_a_fault_and_not_absent(refused: str, fault: str) -> None:
    """A15: S3 answers 403 for a missing object, too, where the role may not list: so a 403 proves nothing."""
    config = read_config(refusing(refused, status=403, code="AccessDenied"))
    assert config == Config(Budgets(), faults=(fault,), knows_projects=False, refused=(fault,))


def test_a_file_that_vanishes_after_it_was_listed_is_a_fault() -> None:
    """Somebody replaces it; the next drop finds the new one."""
    config = read_config(refusing("GET", status=404, code="NoSuchKey"))
    assert config.faults == ("config/budgets.json cannot be read (HTTP 404 NoSuchKey)",)


def test_what_may_pass_is_no_fault() -> None:
    """The event is delivered again, and the same drop is then read with its limits."""
    with pytest.raises(ClientError):
        read_config(refusing("LIST", status=403, code="ExpiredToken"))


def test_a_file_of_any_size_is_a_fault_beyond_a_megabyte() -> None:
    """It must not take the function's memory."""
    config, _ = config_of(budgets=b" " * 1_000_001)
    assert config.faults == ("config/budgets.json: it has more than 1,000,000 bytes",)


@pytest.mark.parametrize("name", ["budget", "Budgets", "budgets.jsn", "bugdets"])
def test_a_misspelled_file_is_a_fault(name: str) -> None:
    """Its limits would have no effect, and nobody would notice."""
    config, requests = config_of(**{name: LIMITS})
    assert config.faults == (f"config/{name}.json: unknown file; did you mean config/budgets.json?",)
    assert (config.knows_projects, requests) == (False, ["LIST config/"])


def test_other_prices_are_read_beside_the_limits() -> None:
    """A model without a row in the built-in table has a price then."""
    rates = dict.fromkeys(("input", "output", "cache_write_5m", "cache_write_1h", "cache_read"), 1)
    config, requests = config_of(budgets=LIMITS, prices=json.dumps({"models": {"ours": rates}}).encode())
    price = config.prices.of("ours")
    assert price is not None
    assert price.input == 1
    assert requests == ["LIST config/", "GET config/budgets.json", "GET config/prices.json"]


def test_prices_that_are_not_understood_leave_the_projects_known() -> None:
    """The gate closes on the fault; who the run is for is not in doubt."""
    config, _ = config_of(budgets=LIMITS, prices=b"{}}")
    (fault,) = config.faults
    assert fault.startswith("config/prices.json: line 1, column 3: not valid JSON")
    assert config.budgets.of("team-a") == Budget(usd_per_day=Decimal(9))
    assert (config.prices, config.knows_projects) == (PRICES, True)
