#!/bin/sh
# Starts everything under a project name of its own, sends events, finds them, takes it down: make compose-test
set -eu
cd "$(dirname "$0")/../.."
export CORDWOOD_ADMIN_EMAIL=test@example.com CORDWOOD_ADMIN_PASSWORD=compose-test POSTGRES_PASSWORD=compose-test
export CORDWOOD_PUBLISH=127.0.0.1:18080 CORDWOOD_PUBLISH_INGEST=127.0.0.1:18081 CORDWOOD_PUBLISH_QUERY=127.0.0.1:18082
compose="docker compose --project-name cordwood-test --env-file /dev/null --profile nodes --profile samples"
trap '$compose logs --tail 50 >&2; $compose down --volumes --timeout 15' EXIT
$compose up --detach --build --wait --wait-timeout 300
token=$($compose exec -T cordwood cordwood token create test --scope ingest --scope query)
printf '{"message": "sent to the ingest node %s", "service": "compose-test"}\n' 1 2 3 |
    curl --fail --silent --show-error --data-binary @- -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/x-ndjson' http://127.0.0.1:18081/api/v1/logs
found=$(curl --fail --silent --show-error -H "Authorization: Bearer $token" -H 'Accept: text/csv' \
    --json '{"query": "service:compose-test | stats count() as n"}' http://127.0.0.1:18082/api/v1/query | tail -n 1)
test "$(printf %s "$found" | tr -d '\r')" = 3 || { echo "the query node found $found events, not 3" >&2; exit 1; }
trap - EXIT
$compose down --volumes --timeout 15
echo "compose-test: 3 events through the ingest node, found by the query node"
