"""CloudWatch: alarms of one metric, of several, of alarms; by SNS and EventBridge."""

from alertcenter.alerts.severity import CRITICAL, INFO, WARNING
from tests.sources import reading

ARN = "arn:aws:cloudwatch:eu-west-1:210987654321:alarm:shop error ratio"


def test_metric_math_is_labelled_by_its_first_real_metric():
    found = reading.read("cloudwatch", "metric_math")
    assert found.title == "shop error ratio"
    assert found.firing
    assert found.severity == CRITICAL
    assert found.labels["metric"] == "HTTPCode_Target_5XX_Count"
    assert found.labels["LoadBalancer"] == "app/shop/1f"
    assert found.labels["region"] == "eu-west-1"
    assert "region=eu-west-1#alarmsV2:alarm/shop%20error%20ratio" in found.link


def test_a_composite_alarm_is_over_and_names_what_caused_it():
    found = reading.read("cloudwatch", "composite_ok")
    assert not found.firing
    assert found.starts_at is None
    assert found.ends_at is not None
    assert found.annotations["caused_by"] == "shop 5xx"
    assert "AND" in found.annotations["rule"]


def test_eventbridge_ends_what_sns_began():
    change = {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "210987654321",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": {"alarmName": "shop error ratio", "state": {"value": "OK"}},
    }
    begun = reading.read("cloudwatch", "metric_math")
    over = reading.event("cloudwatch", change)
    assert not over.firing
    assert over.key == begun.key


def test_no_data_is_a_warning_that_is_not_over():
    found = reading.event(
        "cloudwatch", {"AlarmName": "x", "NewStateValue": "INSUFFICIENT_DATA"}
    )
    assert found.firing
    assert found.severity == WARNING
    assert found.labels["state"] == "INSUFFICIENT_DATA"


def test_the_start_of_a_subscription_is_no_alert():
    body = {"Type": "SubscriptionConfirmation", "Message": "You have chosen"}
    assert reading.events("cloudwatch", body) == []


def test_another_message_of_the_topic_is_heard_too():
    body = {"TopicArn": "arn:aws:sns:eu-west-1:1:x", "Message": "Budget is used up"}
    assert reading.event("cloudwatch", body).title == "Budget is used up"
    change = {"detail-type": "EC2 Spot Instance Interruption Warning", "detail": {}}
    assert reading.event("cloudwatch", change).severity >= INFO
