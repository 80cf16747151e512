// The ports in memory keep to the same contracts as those that the program uses.

import { onTestFinished } from 'vitest';
import { describeArtifactStore, makeArrivals } from '../contracts/artifact-store.ts';
import { describeJobQueue } from '../contracts/job-queue.ts';
import { describeJobStore } from '../contracts/job-store.ts';
import { openMemoryArtifacts } from './artifact-store.ts';
import { createMemoryQueue } from './job-queue.ts';
import { createJobMemory, createMemoryJobStore } from './job-store.ts';

describeJobStore('memory', () => {
  const memory = createJobMemory();
  return { open: () => createMemoryJobStore(memory) };
});

describeJobQueue('a queue in memory', createMemoryQueue);

describeArtifactStore('memory', async () => {
  const first = await openMemoryArtifacts();
  onTestFinished(() => first.close());
  let isFirst = true;
  return {
    arrivals: await makeArrivals(),
    async open() {
      if (isFirst) {
        isFirst = false;
        return first;
      }
      const other = await first.elsewhere();
      onTestFinished(() => other.close());
      return other;
    },
  };
});
