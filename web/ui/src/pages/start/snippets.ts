/** How each shipper sends here, to copy: `origin` is this server, `token` a token with the scope ingest, or nothing. */

export interface Shipper { readonly id: string; readonly name: string; readonly note?: string; readonly text: (to: Target) => string }
export interface Target { readonly origin: string; readonly host: string; readonly port: string; readonly tls: boolean; readonly token: string }

export function target(origin: string, token: string): Target {
  const url = new URL(origin)
  const tls = url.protocol === 'https:'
  return { origin, host: url.hostname, port: url.port || (tls ? '443' : '80'), tls, token }
}

const header = (token: string, text: (token: string) => string): string => (token ? text(token) : '')

export const SHIPPERS: readonly Shipper[] = [
  {
    id: 'curl',
    name: 'curl',
    text: ({ origin, token }) => `curl ${origin}/api/v1/logs \\\n${header(token, (it) => `  -H 'Authorization: Bearer ${it}' \\\n`)}  -H 'Content-Type: application/x-ndjson' \\\n  -d '{"severity":"INFO","service":"hello","message":"hello from curl"}'`,
  },
  {
    id: 'fluent-bit',
    name: 'Fluent Bit',
    text: ({ host, port, tls, token }) => `[OUTPUT]\n    Name      http\n    Match     *\n    Host      ${host}\n    Port      ${port}\n    URI       /api/v1/logs\n    Format    json_lines\n    tls       ${tls ? 'on' : 'off'}\n    compress  gzip${header(token, (it) => `\n    Header    Authorization Bearer ${it}`)}`,
  },
  {
    id: 'vector',
    name: 'Vector',
    text: ({ origin, token }) => `[sinks.cordwood]\ntype = "http"\ninputs = ["your_source"]\nuri = "${origin}/api/v1/logs"\nencoding.codec = "json"\nframing.method = "newline_delimited"\ncompression = "gzip"${header(token, (it) => `\nauth = { strategy = "bearer", token = "${it}" }`)}`,
  },
  {
    id: 'opentelemetry',
    name: 'OpenTelemetry',
    note: 'An SDK, by its environment; for a Collector, an otlphttp exporter with the same address.',
    text: ({ origin, token }) => `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=${origin}/v1/logs\nOTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf${header(token, (it) => `\nOTEL_EXPORTER_OTLP_LOGS_HEADERS='Authorization=Bearer%20${it}'`)}\nOTEL_LOGS_EXPORTER=otlp`,
  },
  {
    id: 'rsyslog',
    name: 'rsyslog',
    note: 'It speaks syslog: the pipeline file needs a source for it, and the port must be reachable.',
    text: ({ host }) => `# the pipeline file of Cordwood\nsources:\n  devices: {type: syslog, tcp: "0.0.0.0:5514"}\n\n# /etc/rsyslog.d/cordwood.conf\n*.* action(type="omfwd" target="${host}" port="5514" protocol="tcp"\n           template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted")`,
  },
  {
    id: 'python',
    name: 'Python logging',
    note: 'Standard library alone. For much traffic, put a QueueHandler before it, or use OpenTelemetry.',
    text: ({ origin, token }) => `import json, logging, urllib.request\n\nclass Cordwood(logging.Handler):\n    def emit(self, record):\n        event = {"timestamp": record.created, "severity": record.levelname,\n                 "service": record.name, "message": record.getMessage()}\n        request = urllib.request.Request("${origin}/api/v1/logs", json.dumps(event).encode(),\n            {"Content-Type": "application/x-ndjson"${header(token, (it) => `,\n             "Authorization": "Bearer ${it}"`)}})\n        urllib.request.urlopen(request, timeout=5).close()\n\nlogging.getLogger().addHandler(Cordwood())\nlogging.warning("hello from Python")`,
  },
  {
    id: 'mqtt',
    name: 'MQTT',
    note: 'With the clients of Mosquitto: each message becomes an event, its topic a field.',
    text: ({ origin, token }) => `mosquitto_sub -h broker.example -t 'sensors/#' -F '{"service":"mqtt","topic":"%t","message":"%p"}' |\n  while read -r line; do\n    printf '%s\\n' "$line" | curl -s ${origin}/api/v1/logs -H 'Content-Type: application/x-ndjson' \\\n      ${header(token, (it) => `-H 'Authorization: Bearer ${it}' `)}--data-binary @-\n  done`,
  },
  {
    id: 'browser',
    name: 'Browser',
    note: 'Errors, console and words of your own, from pages anywhere. Its key is a token that names the pages, and can do nothing but send: cordwood token create shop --origin https://shop.example (accounts must exist).',
    text: ({ origin, token }) => `<script src="${origin}/cordwood.js"${header(token, () => ' data-key="KEY_FOR_BROWSERS"')} data-service="shop"></script>\n\n<script>\n  cordwood.log('INFO', 'hello from the browser', {'order.id': 42})\n</script>`,
  },
]
