"""The description is a valid one, and whatever it allows or forbids, nothing makes the service fail."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis", reason="needs the extra dev")

OPERATIONS = 13
EXAMPLES = 25


def test_no_request_makes_it_fail(start, grey):
    from schemathesis.specs.openapi.checks import status_code_conformance

    checks = [schemathesis.checks.not_a_server_error, status_code_conformance]
    schemathesis.openapi.media_type("image/png", st.just(grey(90)))  # so that options meet a real picture
    answered = set()
    http = start({"read_timeout": 2, "jobs_waiting": 1000, "jobs": 1000})
    schema = schemathesis.openapi.from_url(f"{http.base_url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == OPERATIONS
    for operation in operations:
        takes_something = operation.body or operation.query
        for mode in schemathesis.GenerationMode if takes_something else [schemathesis.GenerationMode.POSITIVE]:

            @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(operation.as_strategy(generation_mode=mode))
            def no_request_makes_it_fail(case):
                answer = case.call(timeout=10)
                answered.add((case.operation.label, answer.status_code))
                case.validate_response(answer, checks=checks)
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == ["application/problem+json"]
                    assert answer.json()["status"] == answer.status_code
                    assert answer.json()["detail"]

            no_request_makes_it_fail()
    assert answered >= {("POST /v1/predict", 200), ("POST /v1/predict", 422), ("GET /v1/jobs", 200)}


def test_scenes_and_jobs_are_as_described(http, jpeg, drive):
    validator = pytest.importorskip("jsonschema_rs", reason="needs the extra dev").Draft202012Validator
    described = http.get("/openapi.json").json()

    def check(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        validator(schema).validate(value)

    check("Scene", http.post("/v1/predict", content=jpeg).json()["scenes"][0])
    check("Problem", http.post("/v1/predict", content=b"no").json())
    job = http.post("/v1/jobs", content=drive.read_bytes()).json()
    check("Job", job)
    http.delete(f"/v1/jobs/{job['id']}")
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        for answer in operation["responses"].values():
            for content in answer.get("content", {}).values():
                if "example" in content and "$ref" in content["schema"]:
                    check(content["schema"]["$ref"].rpartition("/")[2], content["example"])
    assert json.dumps(described).count('"example"') >= 3
