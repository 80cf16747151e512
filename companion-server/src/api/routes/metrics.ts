// /metrics, for Prometheus, behind a token.

import type { Metrics } from '../prometheus.ts';
import type { Route } from './route.ts';

export function metricsRoutes(metrics: Metrics): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: 'client',
      handle: async () => ({
        text: await metrics.render(),
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
      }),
    },
  ];
}
