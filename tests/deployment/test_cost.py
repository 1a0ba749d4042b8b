"""What an idle stack costs in a month, from the resources of the template and one table of prices."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

from deployment.words import cost
from tests.support import template

FREE_OF_CHARGE = {
    "AWS::Athena::WorkGroup", "AWS::Events::Rule", "AWS::Glue::Database", "AWS::Glue::Table", "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Lambda::Version", "AWS::Logs::LogGroup",
    "AWS::Logs::QueryDefinition", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription",
    "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
    "AWS::StepFunctions::StateMachine",
}  # fmt: skip
"""Types that cost by use or by what they store only."""


def deployed() -> Counter[str]:
    """Count the resources of the template by type."""
    return Counter(each["Type"] for each in template.transformed()["Resources"].values())


def test_of_every_type_of_the_template_it_is_decided_whether_it_costs() -> None:
    """A new type must be put into one of the two lists."""
    assert deployed().keys() <= cost.PRICES.keys() | FREE_OF_CHARGE
    assert not cost.PRICES.keys() & FREE_OF_CHARGE


def test_each_price_is_counted_for_each_resource() -> None:
    """Fourteen alarms, a key, a dashboard and a secret; what is free is said, and not subtracted: others may use it."""
    some = Counter(
        {"AWS::CloudWatch::Alarm": 14, "AWS::KMS::Key": 1, "AWS::CloudWatch::Dashboard": 1, "AWS::S3::Bucket": 1}
    )
    counted = cost.monthly(some, has_secret=True)
    assert counted.usd == Decimal("5.80")
    assert counted.lines == [
        "$1.00  1 KMS key",
        "$1.40  14 alarms at $0.10  (the first 10 of an account are free)",
        "$3.00  1 dashboard  (the first 3 of an account are free)",
        "$0.40  1 secret",
    ]
    assert cost.monthly(some, has_secret=False).usd == Decimal("5.40")


def test_a_resource_that_is_not_there_costs_nothing() -> None:
    """As the key of a stack that uses one of its company."""
    assert cost.monthly(Counter({"AWS::KMS::Key": 0}), has_secret=False) == cost.Cost(Decimal(0), [])


def test_the_page_names_the_same_prices() -> None:
    """People compare them with their bill."""
    page = (template.PROJECT / "docs" / "operate.md").read_text()
    (fixed,) = re.findall(r"Fixed per month: (.*\n?.*)", page)
    alarms = deployed()["AWS::CloudWatch::Alarm"] * cost.PRICES["AWS::CloudWatch::Alarm"].usd
    amounts = {f"${price.usd:.2f}" for price in cost.PRICES.values() if price.name != "alarm"} | {f"${alarms:.2f}"}
    assert [amount for amount in amounts if amount not in fixed] == []
    assert f"prices of {cost.DATE}" in page
