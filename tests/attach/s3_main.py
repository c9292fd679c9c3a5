"""moto as a store that asks for keys and keeps to policies, for s3_server.py: runs in a venv of its own (tools/s3.lock).
Prints {"url", "reader", "owner"} as a line of JSON, each with its key and secret, and serves until its input ends."""

import json
import os
import sys
import urllib.request

os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "1000000"  # until the accounts are made

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
BUCKETS = ("shop", "other")


def account(iam, name, buckets, actions):
    iam.create_user(UserName=name)
    resources = [f"arn:aws:s3:::{bucket}{end}" for bucket in buckets for end in ("", "/*")]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    anyone = {"endpoint_url": url, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "y"}
    for bucket in BUCKETS:
        boto3.client("s3", **anyone).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    iam = boto3.client("iam", **anyone)
    accounts = {"owner": account(iam, "owner", BUCKETS, "s3:*"), "reader": account(iam, "reader", BUCKETS, ["s3:Get*", "s3:List*"])}
    reset = urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    print(json.dumps({"url": url, **accounts}), flush=True)
    sys.stdin.read()


main()
