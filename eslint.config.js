import path from 'node:path';
import tseslint from 'typescript-eslint';
import { complaintAbout } from './scripts/modules.mjs';

/** Holds every import against the table of rooms, in the editor already; test/architecture.test.ts does it again. */
const roomRule = {
  meta: { type: 'problem', schema: [], messages: { room: '{{complaint}}' } },
  create(context) {
    const file = path.relative(import.meta.dirname, context.filename).replaceAll('\\', '/');
    const check = (node) => {
      if (typeof node.source?.value !== 'string') return;
      const isTypeOnly = (node.importKind ?? node.exportKind) === 'type';
      const complaint = complaintAbout(file, node.source.value, isTypeOnly);
      if (complaint !== undefined) context.report({ node, messageId: 'room', data: { complaint } });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      'dist/',
      'plugin/dist/',
      'demo-output/',
      'models/demo/',
      'companion-server/web/',
      'scripts/*.mjs',
      'scripts/panel/',
      'scripts/gpu/',
      'eslint.config.js',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: [
          './protocol/tsconfig.json',
          './companion-server/tsconfig.json',
          './plugin/src/host/tsconfig.json',
          './plugin/src/host/premiere/tsconfig.json',
          './plugin/tsconfig.json',
          './test/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { house: { rules: { room: roomRule } } },
    rules: {
      'house/room': 'error',
      // A hint to look for a second subject, no law: a catalogue or a list of cases may be long.
      'max-lines': ['warn', { max: 400 }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' }],
    },
  },
  {
    // Of an event every part of the panel takes what concerns it; a default says that the rest does not.
    files: ['plugin/src/**/*.ts'],
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ['**/*.test.ts'], rules: { 'max-lines': 'off' } },
  { files: ['*.ts'], rules: { 'house/room': 'off' } },
);
