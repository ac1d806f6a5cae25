// Node's clients: each line of standard input is logged by the client that is named; at its end everything is flushed.
//   node clients.mjs CLIENT URL PORT        the URL is Cordwood's, the port a source's own
import { createInterface } from 'node:readline'

const [name, url, port] = process.argv.slice(2)
const { hostname: host, port: web } = new URL(url)

async function winston(transport) {
  const { createLogger, format } = (await import('winston')).default
  transport.on('warn', () => {}) // Http says so what it could not send
  const logger = createLogger({ format: format.printf(({ message }) => message), transports: [transport] })
  return { log: (line) => logger.info(line), end: () => new Promise((ended) => logger.on('finish', ended).end()) }
}

async function winstonSyslog(protocol) {
  const { Syslog } = await import('winston-syslog')
  const transport = new Syslog({ host, port: Number(port), protocol, eol: protocol === 'tcp4' ? '\n' : undefined, app_name: 'shop' })
  const { log } = await winston(transport)
  transport.on('error', () => {}) // what was refused is in its queue
  const empty = async () => {
    while (transport.queue.length || transport.socket?.writableLength) await new Promise((on) => setTimeout(on, 50))
    transport.close()
  }
  return { log, end: empty }
}

async function winstonHttp() {
  const { default: library } = await import('winston')
  const path = '/api/v1/logs?service=shop'
  const transport = new library.transports.Http({ host, port: Number(web), path, batch: true, batchInterval: 100, batchCount: 100 })
  return winston(transport)
}

async function pinoLoki() {
  const { default: pino } = await import('pino')
  const { pinoLoki: loki } = await import('pino-loki')
  const stream = loki({ host: url, labels: { service_name: 'shop' }, batching: { interval: 0.1 }, silenceErrors: true })
  const logger = pino(stream)
  return { log: (line) => logger.info(line), end: () => new Promise((ended) => stream.on('close', ended).end()) }
}

async function otlp(exporter) {
  const { LoggerProvider, BatchLogRecordProcessor } = await import('@opentelemetry/sdk-logs')
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: 20_000, maxExportBatchSize: 250, scheduledDelayMillis: 100, exportTimeoutMillis: 120_000 })
  const provider = new LoggerProvider({ resource: resourceFromAttributes({ 'service.name': 'shop' }), processors: [processor] })
  const logger = provider.getLogger('shop')
  return { log: (body) => logger.emit({ body }), end: () => provider.shutdown() }
}

async function otlpHttp() {
  const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-http')
  return otlp(new OTLPLogExporter({ url: `${url}/v1/logs`, timeoutMillis: 120_000 }))
}

async function otlpGrpc() {
  const { OTLPLogExporter } = await import('@opentelemetry/exporter-logs-otlp-grpc')
  return otlp(new OTLPLogExporter({ url: `http://${host}:${port}`, timeoutMillis: 120_000 }))
}

const clients = {
  'winston-syslog-udp': () => winstonSyslog('udp4'),
  'winston-syslog-tcp': () => winstonSyslog('tcp4'),
  'winston-http': winstonHttp,
  'pino-loki': pinoLoki,
  'otlp-js-http': otlpHttp,
  'otlp-js-grpc': otlpGrpc,
}

const client = await clients[name]()
for await (const line of createInterface({ input: process.stdin })) client.log(line)
await client.end()
process.exit(0)
