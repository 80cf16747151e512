// Numbers about the running server in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/). None of them reveals what a user edits.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A number, or numbers by the value of one label. */
export type Reading = number | { readonly label: string; readonly values: Readonly<Record<string, number>> };

export interface Metrics {
  /** Adds a number that is read at each request for the metrics. Names follow Prometheus: `tokenflow_jobs`. */
  gauge(name: string, help: string, read: () => Reading | Promise<Reading>): void;
  /** Adds a number that only grows; the returned function adds one to it, under a value of `label`. */
  counter(name: string, help: string, label: string): (value: string) => void;
  /** All of them, as text. */
  render(): Promise<string>;
}

export function createMetrics(): Metrics {
  const families: (() => Promise<string>)[] = [];
  const add = (name: string, type: 'gauge' | 'counter', help: string, read: () => Reading | Promise<Reading>): void => {
    families.push(async () => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${format(name, await read())}`);
  };
  return {
    gauge: (name, help, read) => add(name, 'gauge', help, read),
    counter(name, help, label) {
      const values: Record<string, number> = {};
      add(name, 'counter', help, () => ({ label, values }));
      return (value) => void (values[value] = (values[value] ?? 0) + 1);
    },
    render: async () => (await Promise.all(families.map((family) => family()))).join(''),
  };
}

function format(name: string, reading: Reading): string {
  if (typeof reading === 'number') return `${name} ${reading}\n`;
  return Object.entries(reading.values)
    .map(([value, count]) => `${name}{${reading.label}="${escape(value)}"} ${count}\n`)
    .join('');
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Adds what every process has. Returns a function that ends the measuring. */
export function measureProcess(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const startSeconds = Date.now() / 1_000 - process.uptime();
  metrics.gauge('process_start_time_seconds', 'Start of the process, Unix time.', () => startSeconds);
  metrics.gauge('process_resident_memory_bytes', 'Memory of the server process.', () => process.memoryUsage.rss());
  metrics.gauge('tokenflow_event_loop_delay_seconds', 'Event loop delay since the start.', () => ({
    label: 'quantile',
    values: { '0.5': delay.percentile(50) / 1e9, '0.99': delay.percentile(99) / 1e9 },
  }));
  return () => void delay.disable();
}
