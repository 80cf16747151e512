// Ticks as Premiere hands them out. Premiere declares its small values as callable; only their members are simulated.

import type { FrameRate, Guid, RectF, TickTime } from '@adobe/premierepro';
import { ticksPerSecond } from '../../plugin/src/host/ticks.ts';

class SimTickTime implements Pick<TickTime, keyof TickTime> {
  readonly ticks: string;

  constructor(ticks: bigint) {
    this.ticks = String(ticks);
  }

  get seconds(): number {
    return Number(this.ticks) / Number(ticksPerSecond);
  }
  get ticksNumber(): number {
    return Number(this.ticks);
  }
  equals(other: TickTime): boolean {
    return this.ticks === other.ticks;
  }
  alignToNearestFrame(rate: FrameRate): TickTime {
    const frame = BigInt(rate.ticksPerFrame);
    return tickTime(((BigInt(this.ticks) + frame / 2n) / frame) * frame);
  }
  alignToFrame(rate: FrameRate): TickTime {
    const frame = BigInt(rate.ticksPerFrame);
    return tickTime((BigInt(this.ticks) / frame) * frame);
  }
  add(other: TickTime): TickTime {
    return tickTime(BigInt(this.ticks) + BigInt(other.ticks));
  }
  subtract(other: TickTime): TickTime {
    return tickTime(BigInt(this.ticks) - BigInt(other.ticks));
  }
  multiply(factor: number): TickTime {
    return tickTime(BigInt(Math.round(Number(this.ticks) * factor)));
  }
  divide(divisor: number): TickTime {
    return tickTime(BigInt(Math.round(Number(this.ticks) / divisor)));
  }
}

export function tickTime(ticks: bigint): TickTime {
  return new SimTickTime(ticks) as unknown as TickTime;
}

export function ticksOf(time: TickTime): bigint {
  return BigInt(time.ticks);
}

class SimGuid implements Pick<Guid, keyof Guid> {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export function guid(text: string): Guid {
  return new SimGuid(text) as unknown as Guid;
}

export function rect(width: number, height: number): RectF {
  const members: Pick<RectF, keyof RectF> = { width, height };
  return members as unknown as RectF;
}

export function frameRate(ticksPerFrame: bigint): FrameRate {
  const members: Pick<FrameRate, keyof FrameRate> = {
    ticksPerFrame: Number(ticksPerFrame),
    value: Number(ticksPerSecond) / Number(ticksPerFrame),
    equals: (other) => other.ticksPerFrame === Number(ticksPerFrame),
  };
  return members as unknown as FrameRate;
}
