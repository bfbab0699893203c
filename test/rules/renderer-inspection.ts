/** What the screens say and with which words: every message that a screen can reach, and every text that is no message. */
import { ESLint, type Rule } from 'eslint';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as svelteParser from 'svelte-eslint-parser';
import ts from 'typescript';
import tseslint from 'typescript-eslint';

export interface RendererInspection {
  /** `wizard.review.title`: words that no screen can reach. */
  readonly unused: readonly string[];
  /** Text that people see and that is in no language's messages. */
  readonly written: readonly string[];
}

interface Node {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } };
  readonly [key: string]: unknown;
}

/** Attributes whose value is read by people, on elements and on our own components. */
const spoken =
  /^(title|aria-label|aria-description|placeholder|alt|label|legend|text|hint|cause|remedy|reason|detail)$/;
/** The same in every language. */
const sameEverywhere = /^(?:Holdfast|SSH|VIP|IP|YAML|sudo|root|ms|s|min|h|[\W\d_])*$/;

const isObjectType = (type: ts.Type): boolean =>
  (type.flags & ts.TypeFlags.Object) !== 0 && type.getCallSignatures().length === 0;

class MessageUse {
  readonly #folder: string;
  /** Where a message is defined → its path. */
  readonly #paths = new Map<string, string>();
  readonly #leaves = new Set<string>();
  readonly #used = new Set<string>();
  #collected = false;

  constructor(root: string) {
    this.#folder = join(root, 'src-renderer/messages/english/');
  }

  #idsOf(symbol: ts.Symbol): string[] {
    return (symbol.declarations ?? [])
      .filter((one) => one.getSourceFile().fileName.startsWith(this.#folder))
      .map((declaration) => `${declaration.getSourceFile().fileName}:${declaration.pos}`);
  }
  #idOf(symbol: ts.Symbol): string | undefined {
    return this.#idsOf(symbol)[0];
  }

  /** Once: all that English defines. */
  collect(program: ts.Program): void {
    if (this.#collected) return;
    const source = program.getSourceFile(`${this.#folder}index.ts`);
    const checker = program.getTypeChecker();
    const module = source && checker.getSymbolAtLocation(source);
    const english = module && checker.getExportsOfModule(module).find((symbol) => symbol.name === 'english');
    if (!source || !english) return;
    this.#collected = true;
    const walk = (type: ts.Type, path: string): void => {
      for (const property of checker.getPropertiesOfType(type)) {
        const id = this.#idOf(property);
        if (id === undefined) continue;
        const own = path === '' ? property.name : `${path}.${property.name}`;
        this.#paths.set(id, own);
        const inner = checker.getTypeOfSymbol(property);
        const isTree = isObjectType(inner) && !checker.isArrayType(inner) && inner.getStringIndexType() === undefined;
        if (isTree) walk(inner, own);
        else this.#leaves.add(id);
      }
    };
    walk(checker.getTypeOfSymbolAtLocation(english, source), '');
  }

  mark(symbol: ts.Symbol | undefined): void {
    // Of a choice between messages of the same shape a property stands for that of each.
    for (const id of symbol === undefined ? [] : this.#idsOf(symbol)) this.#used.add(id);
  }

  markAllOf(type: ts.Type, checker: ts.TypeChecker): void {
    for (const property of checker.getPropertiesOfType(type)) {
      if (this.#idOf(property) === undefined) continue;
      this.mark(property);
      const inner = checker.getTypeOfSymbol(property);
      if (isObjectType(inner)) this.markAllOf(inner, checker);
    }
  }

  get unused(): string[] {
    if (!this.#collected) throw new Error('no messages were found: is english/index.ts where it was?');
    return [...this.#leaves]
      .filter((id) => !this.#used.has(id))
      .map((id) => this.#paths.get(id) ?? id)
      .sort();
  }
}

/** Whoever takes it by any name can reach all of it. */
function takenByAnyName(type: ts.Type | undefined): boolean {
  if (!type) return false;
  const parts = type.isUnion() ? type.types : [type];
  return parts.some((part) => part.getStringIndexType() !== undefined);
}

function markAccess(use: MessageUse, checker: ts.TypeChecker, node: ts.Node): void {
  if (ts.isPropertyAccessExpression(node)) use.mark(checker.getSymbolAtLocation(node.name));
  if (ts.isElementAccessExpression(node)) {
    const target = checker.getTypeAtLocation(node.expression);
    const key = checker.getTypeAtLocation(node.argumentExpression);
    const keys = key.isUnion() ? key.types : [key];
    for (const one of keys) {
      if (one.isStringLiteral()) use.mark(checker.getPropertyOfType(target, one.value));
      else use.markAllOf(target, checker);
    }
  }
  if (ts.isExpression(node) && takenByAnyName(checker.getContextualType(node)))
    use.markAllOf(checker.getTypeAtLocation(node), checker);
}

function markPattern(use: MessageUse, checker: ts.TypeChecker, pattern: ts.Node): void {
  if (!ts.isObjectBindingPattern(pattern)) return;
  const type = checker.getTypeAtLocation(pattern);
  for (const element of pattern.elements) {
    if (element.dotDotDotToken) use.markAllOf(type, checker);
    const name = element.propertyName ?? element.name;
    if (ts.isIdentifier(name)) use.mark(checker.getPropertyOfType(type, name.text));
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** The words that an expression in the middle of a screen's text may put there. */
function* literalsOf(expression: Node): Generator<string> {
  switch (expression.type) {
    case 'Literal':
      yield textOf(expression['value']);
      break;
    case 'TemplateLiteral':
      for (const quasi of expression['quasis'] as { value: { cooked: string } }[]) yield textOf(quasi.value.cooked);
      break;
    case 'ConditionalExpression':
      yield* literalsOf(expression['consequent'] as Node);
      yield* literalsOf(expression['alternate'] as Node);
      break;
    case 'LogicalExpression':
    case 'BinaryExpression':
      if (/^(\+|\?\?|\|\||&&)$/.test(textOf(expression['operator']))) {
        yield* literalsOf(expression['left'] as Node);
        yield* literalsOf(expression['right'] as Node);
      }
      break;
  }
}

export async function inspectRenderer(root: string): Promise<RendererInspection> {
  const use = new MessageUse(root);
  const written: string[] = [];

  const rule: Rule.RuleModule = {
    create(context) {
      const services = context.sourceCode.parserServices as {
        readonly program?: ts.Program;
        readonly esTreeNodeToTSNodeMap?: { get(node: unknown): ts.Node | undefined };
      };
      const { program, esTreeNodeToTSNodeMap: nodes } = services;
      if (!program || !nodes) throw new Error(`${context.filename} was read without its types`);
      use.collect(program);
      const checker = program.getTypeChecker();
      const say = (node: Node, text: string): void => {
        if (sameEverywhere.test(text)) return;
        written.push(`${relative(root, context.filename)}:${node.loc?.start.line ?? 0}: ${text}`);
      };
      const expression = (node: unknown): void => {
        const typed = nodes.get(node);
        if (typed) markAccess(use, checker, typed);
      };
      const listeners: Record<string, (node: Node) => void> = {
        MemberExpression: expression,
        Identifier: expression,
        SpreadElement: (node) => {
          // A large area is put together from several files; that uses none of its words.
          if (context.filename.includes('/messages/english/')) return;
          const typed = nodes.get(node['argument']);
          if (typed) use.markAllOf(checker.getTypeAtLocation(typed), checker);
        },
        ObjectPattern: (node) => {
          const typed = nodes.get(node);
          if (typed) markPattern(use, checker, typed);
        },
        SvelteText: (node) => {
          const parent = node['parent'] as Node;
          if (!/^Svelte(Style|Script)Element$/.test(parent.type)) say(node, textOf(node['value']));
        },
        SvelteAttribute: (node) => {
          if (!spoken.test(textOf((node['key'] as Node)['name']))) return;
          for (const value of node['value'] as Node[]) {
            if (value.type === 'SvelteLiteral') say(value, textOf(value['value']));
            else if (value.type === 'SvelteMustacheTag')
              for (const text of literalsOf(value['expression'] as Node)) say(value, text);
          }
        },
        SvelteMustacheTag: (node) => {
          if (/Attribute|Directive/.test((node['parent'] as Node).type)) return;
          for (const text of literalsOf(node['expression'] as Node)) say(node, text);
        },
      };
      return listeners as unknown as Rule.RuleListener;
    },
  };

  const typed = { projectService: true, tsconfigRootDir: root, extraFileExtensions: ['.svelte'] };
  const plugin = { rules: { inspect: rule } };
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: true,
    allowInlineConfig: false,
    overrideConfig: [
      {
        files: ['**/*.ts'],
        languageOptions: { parser: tseslint.parser, parserOptions: typed },
        plugins: { renderer: plugin },
        rules: { 'renderer/inspect': 'error' },
      },
      {
        files: ['**/*.svelte', '**/*.svelte.ts'],
        languageOptions: { parser: svelteParser, parserOptions: { ...typed, parser: tseslint.parser } },
        plugins: { renderer: plugin },
        rules: { 'renderer/inspect': 'error' },
      },
    ],
  });
  const files = globSync('src-renderer/**/*.{ts,svelte}', {
    cwd: root,
    exclude: (path) => path.endsWith('.test.ts') || path.includes('messages/french'),
  });
  const results = await eslint.lintFiles(files);
  const broken = results.flatMap((result) =>
    result.messages.map((message) => `${result.filePath}: ${message.message}`),
  );
  if (broken.length > 0) throw new Error(`the screens cannot be read:\n${broken.join('\n')}`);
  return { unused: use.unused, written: written.sort() };
}
