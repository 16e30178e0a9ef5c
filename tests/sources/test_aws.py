"""AWS: EventBridge's events, records, and SNS messages in words of their own."""

import json

import pytest

from alertcenter.alerts.severity import CRITICAL, ERROR, INFO, WARNING
from tests.sources import reading


def change(kind, detail, **more):
    return {
        "detail-type": kind,
        "source": "aws.x",
        "account": "210987654321",
        "region": "eu-west-1",
        "time": "2026-11-20T10:00:00Z",
        "detail": detail,
    } | more


def sns(message, subject=""):
    words = message if isinstance(message, str) else json.dumps(message)
    topic = "arn:aws:sns:eu-west-1:210987654321:ops"
    return {
        "Type": "Notification",
        "TopicArn": topic,
        "Subject": subject,
        "Message": words,
    }


def test_a_finding_of_guardduty_is_over_when_it_is_archived():
    found = reading.read("aws", "guardduty")
    assert found.title == "web-1 asks for names of a mining pool"
    assert found.severity == ERROR
    body = reading.payload("aws", "guardduty")
    body["detail"]["service"]["archived"] = True
    over = reading.event("aws", body)
    assert not over.firing
    assert over.key == found.key


def test_health_tells_what_is_affected_and_since_when():
    found = reading.read("aws", "health_open")
    assert found.title == "AWS Health: AWS EC2 OPERATIONAL ISSUE"
    assert found.severity == ERROR
    assert found.annotations["affected"] == "i-0c1, i-0c2"
    assert found.annotations["description"] == "Launches are slow."
    assert found.starts_at
    assert found.starts_at.minute == 5
    body = reading.payload("aws", "health_open")
    body["detail"] |= {"statusCode": "closed", "endTime": "2026-11-20T11:00:00Z"}
    over = reading.event("aws", body)
    assert (over.firing, over.key) == (False, found.key)
    assert over.ends_at
    assert over.ends_at.hour == 11


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        (
            "CodeBuild Build State Change",
            {"project-name": "a", "build-status": "FAILED"},
            {"project-name": "a", "build-status": "SUCCEEDED"},
        ),
        (
            "CodePipeline Stage Execution State Change",
            {"pipeline": "a", "stage": "Deploy", "state": "FAILED"},
            {"pipeline": "a", "stage": "Deploy", "state": "SUCCEEDED"},
        ),
        (
            "Step Functions Execution Status Change",
            {"stateMachineArn": "arn:aws:states:a:1:x:a", "status": "TIMED_OUT"},
            {"stateMachineArn": "arn:aws:states:a:1:x:a", "status": "SUCCEEDED"},
        ),
        (
            "Backup Job State Change",
            {"resourceArn": "arn:aws:rds:a", "backupJobId": "1", "state": "FAILED"},
            {"resourceArn": "arn:aws:rds:a", "backupJobId": "2", "state": "COMPLETED"},
        ),
        (
            "Config Rules Compliance Change",
            {
                "configRuleName": "a",
                "resourceId": "sg-1",
                "newEvaluationResult": {"complianceType": "NON_COMPLIANT"},
            },
            {
                "configRuleName": "a",
                "resourceId": "sg-1",
                "newEvaluationResult": {"complianceType": "COMPLIANT"},
            },
        ),
    ],
)
def test_a_good_state_ends_what_a_bad_one_began(kind, bad, good):
    begun = reading.event("aws", change(kind, bad))
    over = reading.event("aws", change(kind, good))
    assert begun.firing
    assert begun.severity == ERROR
    assert not over.firing
    assert over.key == begun.key


def test_a_launch_that_failed_is_ended_by_one_that_did_not():
    group = {"AutoScalingGroupName": "web"}
    begun = reading.event("aws", change("EC2 Instance Launch Unsuccessful", group))
    over = reading.event("aws", change("EC2 Instance Launch Successful", group))
    assert begun.severity == ERROR
    assert (over.firing, over.key) == (False, begun.key)


def test_a_stopped_task_is_ended_by_the_services_next_one():
    detail = {"group": "service:web", "lastStatus": "STOPPED", "stoppedReason": "OOM"}
    begun = reading.event("aws", change("ECS Task State Change", detail))
    assert begun.severity == WARNING
    assert begun.annotations["description"] == "OOM"
    detail |= {"lastStatus": "RUNNING", "taskArn": "arn:aws:ecs:a:1:task/c/2"}
    assert reading.event("aws", change("ECS Task State Change", detail)).key == (
        begun.key
    )


def test_a_databases_backup_does_not_touch_that_its_disk_is_full():
    detail = {"SourceIdentifier": "orders", "EventID": "RDS-EVENT-0089"}
    full = detail | {"EventCategories": ["low storage"], "Message": "Disk is full"}
    backup = detail | {"EventCategories": ["backup"], "Message": "Backing up"}
    one = reading.event("aws", change("RDS DB Instance Event", full))
    other = reading.event("aws", change("RDS DB Instance Event", backup))
    assert one.title == "orders: Disk is full"
    assert (one.severity, other.severity) == (ERROR, INFO)
    assert one.key != other.key


def test_each_finding_of_security_hub_is_an_event():
    findings = [
        {"Id": "1", "Title": "Open to all", "Severity": {"Label": "CRITICAL"}},
        {"Id": "2", "Title": "Key is old", "RecordState": "ARCHIVED"},
    ]
    body = change("Security Hub Findings - Imported", {"findings": findings})
    first, second = reading.events("aws", body)
    assert (first.title, first.severity) == ("Open to all", CRITICAL)
    assert not second.firing


def test_accounts_do_not_share_their_pipelines():
    body = change("CodeBuild Build State Change", {"project-name": "a"})
    other = body | {"account": "1"}
    assert reading.event("aws", body).key != reading.event("aws", other).key


def test_alertmanagers_text_is_the_alerts_it_lists():
    firing, over = reading.events("aws", reading.payload("aws", "alertmanager"))
    assert firing.title == "The queue of mq-1 is long"
    assert firing.labels["instance"] == "mq-1"
    assert firing.severity == WARNING
    assert not over.firing
    assert over.labels["instance"] == "mq-2"


def test_words_of_a_stack_name_the_stack():
    words = "StackName='shop'\nLogicalResourceId='Db'\nResourceStatus='CREATE_FAILED'\n"
    found = reading.event("aws", sns(words, "AWS CloudFormation Notification"))
    assert found.title == "shop Db: CREATE_FAILED"
    assert found.severity == ERROR


def test_a_bounced_mail_names_who_did_not_get_it():
    found = reading.event(
        "aws",
        sns({
            "notificationType": "Bounce",
            "bounce": {"bouncedRecipients": [{"emailAddress": "a@b.example"}]},
            "mail": {"messageId": "m1", "timestamp": "2026-11-20T10:00:00Z"},
        }),
    )  # fmt: skip
    assert found.title == "Bounce: a@b.example"
    assert found.severity == WARNING


def test_a_try_of_s3_is_no_alert():
    assert (
        reading.events("aws", {"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []
    )


def test_a_record_is_an_event_of_its_own():
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "b"}, "object": {"key": key}},
        }
        for key in "xy"
    ]
    found = reading.events("aws", {"Records": records})
    assert [one.title for one in found] == [
        "s3 ObjectCreated:Put: b x",
        "s3 ObjectCreated:Put: b y",
    ]


def test_a_backup_that_failed_is_ended_by_one_that_did_not():
    subject = "Notification from AWS Backup"
    arn = "arn:aws:ec2:eu-west-1:1:volume/vol-1"
    words = f"An AWS Backup job failed. Resource ARN : {arn}. BackupJob ID : 9"
    begun = reading.event("aws", sns(words, subject))
    words = f"An AWS Backup job was completed successfully. Resource ARN : {arn}. X"
    over = reading.event("aws", sns(words, subject))
    assert begun.title == "An AWS Backup job failed: volume/vol-1"
    assert begun.severity == ERROR
    assert (over.firing, over.key) == (False, begun.key)


def test_an_environments_health_is_the_one_it_goes_to():
    words = "Message: Environment health has transitioned from Severe to {}.\n"
    words += "Environment: shop\n"
    ok = reading.event("aws", sns(words.format("Ok"), "AWS Elastic Beanstalk"))
    half = reading.event("aws", sns(words.format("Warning"), "AWS Elastic Beanstalk"))
    assert not ok.firing
    assert half.severity == WARNING
    assert ok.key == half.key


def test_a_call_that_was_denied_is_not_ended_by_one_that_was_not():
    detail = {
        "eventName": "DeleteBucket",
        "userIdentity": {"arn": "arn:aws:iam::1:root"},
    }
    fine = reading.event("aws", change("AWS API Call via CloudTrail", detail))
    detail["errorCode"] = "AccessDenied"
    denied = reading.event("aws", change("AWS API Call via CloudTrail", detail))
    assert fine.title == "DeleteBucket by root"
    assert (fine.severity, denied.severity) == (INFO, WARNING)
    assert fine.key != denied.key


def test_applications_with_like_named_groups_are_told_apart():
    kind = "CodeDeploy Deployment State-change Notification"
    detail = {"application": "a", "deploymentGroup": "prod", "state": "FAILURE"}
    one = reading.event("aws", change(kind, detail))
    other = reading.event("aws", change(kind, detail | {"application": "b"}))
    assert one.key != other.key
    assert one.title == f"{kind}: prod a FAILURE"
