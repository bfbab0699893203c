/** Every fault code of the program: where it is thrown, and where a contract promises it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface FaultCode {
  readonly code: string;
  readonly place: string;
}

export interface FoundCodes {
  readonly codes: readonly FaultCode[];
  /** The code is not written there: `new Fault(refusal.code, …)`. */
  readonly computed: readonly string[];
}

/** Functions of ours whose first argument is the code of a fault. */
const throwers = /(^|\.)(#fault|draft\.refuse|problem|refused)$/;
/** There a `code` is that of a fault. */
const listsCodes = /^(src-main\/configuration\/|agent\/replication\/contact)/;

function literalsOf(expression: ts.Expression): string[] | undefined {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (!ts.isConditionalExpression(expression)) return undefined;
  const branches = [literalsOf(expression.whenTrue), literalsOf(expression.whenFalse)];
  const known = branches.filter((branch) => branch !== undefined);
  return known.length === branches.length ? known.flat() : undefined;
}

export function codesIn(source: string, file: string): FoundCodes {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const codes: FaultCode[] = [];
  const computed: string[] = [];
  const visit = (node: ts.Node): void => {
    const place = `${file}:${parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    if (ts.isNewExpression(node) && node.expression.getText() === 'Fault' && node.arguments?.[0]) {
      const found = literalsOf(node.arguments[0]);
      if (found === undefined) computed.push(`${file}: ${node.arguments[0].getText()}`);
      else codes.push(...found.map((code) => ({ code, place })));
    } else if (ts.isCallExpression(node) && throwers.test(node.expression.getText())) {
      const found = node.arguments[0] && literalsOf(node.arguments[0]);
      codes.push(...(found ?? []).filter((code) => /^[a-z0-9-]+$/.test(code)).map((code) => ({ code, place })));
    } else if (ts.isPropertyAssignment(node) && node.name.getText() === 'code' && listsCodes.test(file)) {
      codes.push(...(literalsOf(node.initializer) ?? []).map((code) => ({ code, place })));
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return { codes, computed };
}

/** `Faults: host-key-changed, login-refused (details: …).` in the comments of a contract. */
export function codesPromisedIn(source: string, file: string): FaultCode[] {
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment]) => {
    const promise = /\bFaults?: ([\s\S]*?)\*\//.exec(comment)?.[1] ?? '';
    const plain = promise.replace(/^\s*\*/gm, ' ').replace(/\([^)]*\)/g, ' ');
    return [...plain.matchAll(/\b[a-z0-9]+(?:-[a-z0-9]+)+\b/g)].map(([code]) => ({ code, place: file }));
  });
}

function sourcesOf(root: string): { file: string; source: string }[] {
  const files = globSync(['agent/**/*.ts', 'src-main/**/*.ts', 'src-renderer/**/*.ts'], { cwd: root });
  return files
    .filter((file) => !file.endsWith('.test.ts') && !file.startsWith('src-renderer/messages/'))
    .sort()
    .map((file) => ({ file, source: readFileSync(join(root, file), 'utf8') }));
}

/** Everything in quotes that looks like a code, wherever it stands. */
export function codesNamed(root: string): ReadonlySet<string> {
  const named = sourcesOf(root).flatMap(({ source }) =>
    [...source.matchAll(/'([a-z0-9-]+)'/g)].map((match) => match[1]),
  );
  return new Set(named.filter((code) => code !== undefined));
}

export function faultCodes(root: string): FoundCodes {
  const found = sourcesOf(root).map(({ file, source }) => {
    const contract = /^(src-main\/app-api|agent\/contract)\//.test(file);
    const { codes, computed } = codesIn(source, file);
    return { codes: contract ? [...codes, ...codesPromisedIn(source, file)] : codes, computed };
  });
  return { codes: found.flatMap(({ codes }) => codes), computed: found.flatMap(({ computed }) => computed) };
}
