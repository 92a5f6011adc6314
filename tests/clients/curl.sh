#!/usr/bin/env bash
# The requests that the product's documents print, sent with plain curl: no handshake, no client.
#
# usage: curl.sh    (ZOOP_MCP_URL, ZOOP_USER_KEY; NODE looks into the answers)
#
# The bodies are the documents' own; only the address, the key and the job's id differ.
set -euo pipefail

post() {
  curl --silent --show-error --request POST "$ZOOP_MCP_URL" \
    --header "Authorization: Bearer $ZOOP_USER_KEY" \
    --header "Content-Type: application/json" \
    --data "$1"
}

# Prints a ✓ when the expression is true: `answer` is the envelope, `value` the content of its text item.
check() {
  local behavior=$1 answer=$2 expression=$3
  # shellcheck disable=SC2016 # The back quotes are JavaScript's.
  "$NODE" -e '
    const [behavior, text, expression] = process.argv.slice(1);
    let holds = false;
    try {
      const answer = JSON.parse(text);
      const value = JSON.parse(answer.result.content[0].text);
      holds = new Function("answer", "value", `return (${expression})`)(answer, value);
    } catch (error) {
      text += ` (${error.message})`;
    }
    console.log(holds === true ? `✓ ${behavior}` : `✗ ${behavior}: ${text.slice(0, 600)}`);
  ' "$behavior" "$answer" "$expression"
}

# The expression's result for the value of a successful call.
pick() {
  # shellcheck disable=SC2016 # The back quotes are JavaScript's.
  "$NODE" -e '
    const [text, expression] = process.argv.slice(1);
    const value = JSON.parse(JSON.parse(text).result.content[0].text);
    console.log(new Function("value", `return (${expression})`)(value));
  ' "$1" "$2"
}

check 'customers.create answers the eight keys of its example' "$(post '{
  "jsonrpc": "2.0",
  "id": 2,
  "method": "tools/call",
  "params": {
    "name": "customers.create",
    "arguments": {
      "customer_type": "individual",
      "first_name": "Marco",
      "last_name": "Reyes",
      "phone": "(510) 555-0199",
      "email": "marco@example.com",
      "location": {
        "address_line1": "482 Oak Street",
        "city": "Oakland",
        "state": "CA",
        "postal_code": "94607"
      }
    }
  }
}')" '
  answer.jsonrpc === "2.0" && answer.id === 2 && answer.result.content[0].type === "text" &&
  ["id", "customer_type", "customer_number", "display_name", "status", "primary_phone",
   "primary_email", "created_at"].every((key) => key in value) &&
  value.customer_type === "individual" && value.display_name === "Marco Reyes" &&
  value.status === "active" && value.primary_phone === "+15105550199" &&
  value.primary_email === "marco@example.com" && /^C-\d{4,}$/.test(value.customer_number) &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value.created_at)'

post '{
  "jsonrpc": "2.0",
  "id": 3,
  "method": "tools/call",
  "params": {
    "name": "customers.create",
    "arguments": {
      "customer_type": "individual",
      "first_name": "Hana",
      "last_name": "Nguyen",
      "phone": "(510) 555-0123",
      "email": "hana@example.com"
    }
  }
}' >/dev/null

check 'customers.search answers rows that begin with the keys of its example' "$(post '{
  "jsonrpc": "2.0",
  "id": 1,
  "method": "tools/call",
  "params": {
    "name": "customers.search",
    "arguments": {
      "q": "Nguyen",
      "status": "active",
      "limit": 20
    }
  }
}')" '
  answer.id === 1 && Object.keys(value).join() === "rows,nextCursor,hasMore" &&
  value.rows.every((row) => Object.keys(row).join() ===
    "id,display_name,customer_type,status,primary_phone,primary_email," +
    "customer_number,is_vip,do_not_contact,location,matched") &&
  value.rows.some((row) => row.display_name === "Hana Nguyen" &&
    row.primary_phone === "+15105550123" && row.primary_email === "hana@example.com")'

# The page lists a job's pinned notes, so one of the sample's jobs gets one.
job=$(pick "$(post '{
  "jsonrpc": "2.0",
  "id": 4,
  "method": "tools/call",
  "params": { "name": "notes.list", "arguments": { "subject_type": "job", "limit": 1 } }
}')" 'value.rows[0].subject_id')
note=$(pick "$(post '{
  "jsonrpc": "2.0",
  "id": 5,
  "method": "tools/call",
  "params": {
    "name": "notes.create",
    "arguments": {
      "body": "Ran a new 20A circuit from the panel. Inspector visit scheduled for Friday.",
      "pinned": true,
      "subject_type": "job",
      "subject_id": "'"$job"'"
    }
  }
}')" 'value.id')

check 'notes.list answers the pinned notes of a job' "$(
  curl --silent --show-error -X POST "$ZOOP_MCP_URL" \
    -H "Authorization: Bearer $ZOOP_USER_KEY" \
    -H "Content-Type: application/json" \
    -H "Accept: application/json, text/event-stream" \
    -d '{
"jsonrpc": "2.0",
"id": 1,
"method": "tools/call",
"params": {
"name": "notes.list",
"arguments": {
"subject_type": "job",
"subject_id": "'"$job"'",
"pinned": true,
"limit": 25
}
}
}'
)" '
  answer.id === 1 && Object.keys(value).join() === "rows,nextCursor,hasMore" &&
  value.rows[0].id === "'"$note"'" && value.nextCursor === null && value.hasMore === false &&
  ["id", "body", "pinned", "created_by", "created_at", "subject_type", "subject_id", "attachments"]
    .every((key) => key in value.rows[0]) &&
  value.rows.every((row) => row.pinned && row.subject_id === "'"$job"'")'

status=$(curl --silent --output /dev/null --write-out '%{http_code}' --request POST "$ZOOP_MCP_URL" \
  --header "Content-Type: application/json" \
  --data '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tags.list"}}')
if [[ $status == 401 ]]; then
  echo '✓ a request without a key is answered with 401'
else
  echo "✗ a request without a key is answered with 401: $status"
fi
