/** The words of one language, as they stand in its files: every piece of text with its place. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface MessageText {
  readonly place: string;
  readonly text: string;
  /** A value stands before or after it: `${node} is silent`. */
  readonly afterValue: boolean;
  readonly beforeValue: boolean;
}

/** Names of things and codes, no words for people. */
function isForProgram(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent)) return true;
  if (ts.isElementAccessExpression(parent) || (ts.isPropertyAssignment(parent) && parent.name === node)) return true;
  if (ts.isBinaryExpression(parent)) return /^[!=]==?$/.test(parent.operatorToken.getText());
  // fact(details, 'host', 'the server'): the second is the name of a fact.
  return ts.isCallExpression(parent) && parent.arguments[1] === node && parent.expression.getText() === 'fact';
}

export function textsOf(source: string, file: string): MessageText[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const texts: MessageText[] = [];
  const visit = (node: ts.Node): void => {
    const at = (): string => `${file}:${parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      if (!isForProgram(node)) texts.push({ place: at(), text: node.text, afterValue: false, beforeValue: false });
    } else if (ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) {
      const afterValue = !ts.isTemplateHead(node);
      texts.push({ place: at(), text: node.text, afterValue, beforeValue: !ts.isTemplateTail(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return texts;
}

export function textsOfLanguage(root: string, language: 'english' | 'french'): MessageText[] {
  const files = globSync(`src-renderer/messages/${language}/**/*.ts`, { cwd: root });
  return files
    .filter((file) => !/(\.test|typeset)\.ts$/.test(file))
    .sort()
    .flatMap((file) => textsOf(readFileSync(join(root, file), 'utf8'), file));
}
