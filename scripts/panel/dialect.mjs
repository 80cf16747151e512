// Holds a built panel against the rules of dialect-rules.mjs. A complaint names file, line, rule and source.

import ts from 'typescript';
import { css, html, script } from './dialect-rules.mjs';

/** @typedef {import('./dialect.d.mts').Complaint} Complaint */

/** @returns {Complaint[]} */
export function checkCss(file, text) {
  const plain = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  const complaints = [];
  const complain = (index, what, why, source) =>
    complaints.push({ file, line: lineAt(plain, index), what, why, source });

  for (const match of plain.matchAll(/@([\w-]+)([^{;]*)/g)) {
    const [, name, rest] = match;
    if (!css.atRules.allowed.includes(name)) {
      complain(match.index, `@${name}`, 'Only @media is there.', css.atRules.source);
    }
    for (const [, feature] of name === 'media' ? rest.matchAll(/\(\s*([\w-]+)/g) : []) {
      if (css.mediaFeatures.test(feature)) continue;
      complain(
        match.index,
        `@media (${feature})`,
        'Media queries know width, height and prefers-color-scheme.',
        css.atRules.source,
      );
    }
  }
  for (const match of plain.matchAll(/([^{}]*)\{([^{}]*)\}/g)) {
    const [, selector, body] = match;
    for (const rule of css.selectors) {
      if (rule.pattern.test(selector)) complain(match.index + indent(selector), selector.trim(), rule.why, rule.source);
    }
    let offset = match.index + selector.length + 1;
    for (const declaration of body.split(';')) {
      checkDeclaration(declaration, offset + indent(declaration), complain);
      offset += declaration.length + 1;
    }
  }
  return complaints;
}

function checkDeclaration(declaration, index, complain) {
  const colon = declaration.indexOf(':');
  if (colon < 0) return;
  const property = declaration.slice(0, colon).trim().toLowerCase();
  const value = declaration
    .slice(colon + 1)
    .replace(/!important/, '')
    .trim();
  if (property.startsWith('--') || property === '') return;
  const forbidden = css.forbidden.find((rule) => rule.property.test(property));
  if (forbidden !== undefined) return complain(index, property, forbidden.why, forbidden.source);
  for (const rule of css.values) {
    if (rule.property.test(property) && !rule.allowed.test(value) && !value.startsWith('var(')) {
      complain(index, `${property}: ${value}`, rule.why, rule.source);
    }
  }
  const plain = property.replace(/^-webkit-/, '');
  if (css.documented.has(plain) || css.tolerated.has(plain)) return;
  complain(index, property, 'Not in the reference of styles.', 'docs, reference-css/Styles');
}

const indent = (text) => text.length - text.trimStart().length;

/** @returns {Complaint[]} */
export function checkHtml(file, text) {
  const plain = text.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ' '));
  const complaints = [];
  for (const match of plain.matchAll(/<([a-z][\w-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)) {
    const [, tag, rest] = match;
    const complain = (what, why, source) =>
      complaints.push({ file, line: lineAt(plain, match.index), what, why, source });
    const attributes = new Map();
    for (const match of rest.matchAll(/([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'\s>]+)))?/g)) {
      const [, name, doubly, singly, bare] = match;
      attributes.set(name.toLowerCase(), doubly ?? singly ?? bare ?? '');
    }
    for (const name of attributes.keys()) {
      const rule = html.attributes.find((one) => one.name.test(name));
      if (rule !== undefined) complain(`<${tag} ${name}>`, rule.why, rule.source);
    }
    if (tag === 'input' && html.inputTypes.forbidden.includes(attributes.get('type'))) {
      complain(`<input type=${attributes.get('type')}>`, html.inputTypes.why, html.inputTypes.source);
    }
    if (tag === 'script' && (attributes.get('type') === 'module' || !attributes.has('src'))) {
      complain('<script>', html.scripts.why, html.scripts.source);
    }
    if (tag === 'option' && !attributes.has('value')) {
      complain('<option>', html.options.why, html.options.source);
    }
    if (attributes.has('style')) {
      complaints.push(...checkCss(file, `x{${attributes.get('style')}}`));
    }
  }
  return complaints;
}

/**
 * Looks through a bundle with the compiler's own binding, so that a name of the program is not taken for a global.
 *
 * @returns {Complaint[]}
 */
export function checkScript(file, text) {
  const source = ts.createSourceFile('bundle.js', text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const program = ts.createProgram({
    rootNames: ['bundle.js'],
    options: { allowJs: true, noLib: true, types: [], target: ts.ScriptTarget.ES2022 },
    host: {
      getSourceFile: (name) => (name === 'bundle.js' ? source : undefined),
      getDefaultLibFileName: () => 'lib.d.ts',
      writeFile: () => undefined,
      getCurrentDirectory: () => '/',
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      fileExists: (name) => name === 'bundle.js',
      readFile: () => undefined,
    },
  });
  const checker = program.getTypeChecker();
  const complaints = [];
  const complain = (node, what, why, from) =>
    complaints.push({ file, line: lineAt(text, node.getStart(source)), what, why, source: from });

  const visit = (node) => {
    if (ts.isIdentifier(node)) checkGlobal(node, checker, complain);
    if (ts.isPropertyAccessExpression(node)) checkMember(node, complain);
    if (ts.isCallExpression(node)) checkCall(node, complain);
    if (ts.isCallExpression(node)) checkRequire(node, complain);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return complaints;
}

function checkGlobal(node, checker, complain) {
  if (script.globals.has(node.text) || !isFreeName(node)) return;
  if (checker.resolveName(node.text, node, ts.SymbolFlags.Value, false) !== undefined) return;
  const why = script.missing[node.text] ?? 'Not a global that UXP documents.';
  complain(node, node.text, why, 'docs, uxp-api/reference-js');
}

/** Whether an identifier stands for a value, not for a property, a label or a declaration. */
function isFreeName(node) {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return parent.initializer === node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isPropertyDeclaration(parent)) return parent.initializer === node;
  if (ts.isTypeOfExpression(parent)) return false;
  return !(
    ts.isAccessor(parent) ||
    ts.isLabeledStatement(parent) ||
    ts.isBreakOrContinueStatement(parent) ||
    ts.isMetaProperty(parent)
  );
}

function checkMember(node, complain) {
  const member = node.name.text;
  const rule = script.members.find(
    (one) =>
      one.member === member &&
      (one.object === null || (ts.isIdentifier(node.expression) && node.expression.text === one.object)),
  );
  if (rule !== undefined) complain(node.name, member, rule.why, rule.source);
  const { parent } = node;
  const isAssigned =
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
    parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
  if (!isAssigned) return;
  if (script.markup.assigned.includes(member)) complain(node.name, member, script.markup.why, script.markup.source);
  if (script.properties.forbidden.test(member))
    complain(node.name, member, script.properties.why, script.properties.source);
  checkStyle(node, member, complain);
}

/** `element.style.gridArea = ...`. */
function checkStyle(node, member, complain) {
  const { expression } = node;
  if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== 'style') return;
  const property = member.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  checkDeclaration(`${property}: var(--any)`, 0, (_index, what, why, source) => complain(node.name, what, why, source));
}

function checkRequire(node, complain) {
  const [name] = node.arguments;
  if (!ts.isIdentifier(node.expression) || node.expression.text !== 'require') return;
  if (name !== undefined && ts.isStringLiteralLike(name) && script.modules.allowed.includes(name.text)) {
    return;
  }
  complain(node, node.getText(), script.modules.why, script.modules.source);
}

function checkCall(node, complain) {
  const [first, second] = node.arguments;
  if (!ts.isPropertyAccessExpression(node.expression)) return;
  const method = node.expression.name.text;
  const literal = first !== undefined && ts.isStringLiteralLike(first) ? first.text : undefined;
  if (script.markup.called.includes(method) && isDocumentCall(node, method)) {
    complain(node.expression.name, method, script.markup.why, script.markup.source);
  }
  if (literal === undefined) return;
  if (method === 'setAttribute' && script.attributes.forbidden.test(literal)) {
    complain(first, literal, script.attributes.why, script.attributes.source);
  }
  if (method === 'addEventListener' && script.events.forbidden.includes(literal)) {
    complain(first, literal, script.events.why, script.events.source);
  }
  if (method === 'setProperty' && second !== undefined) {
    checkDeclaration(`${literal}: var(--any)`, 0, (_index, what, why, source) => complain(first, what, why, source));
  }
}

/** `write` is a method of files, too. */
function isDocumentCall(node, method) {
  if (method === 'insertAdjacentHTML') return true;
  const target = node.expression.expression;
  return ts.isIdentifier(target) && target.text === 'document';
}

function lineAt(text, index) {
  return text.slice(0, index).split('\n').length;
}

/** One line per complaint, for the terminal. */
export function printComplaints(complaints) {
  return complaints.map(({ file, line, what, why, source }) => `${file}:${line}: ${what}: ${why} (${source})`);
}
