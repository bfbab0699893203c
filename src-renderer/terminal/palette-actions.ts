/** Troubleshooting commands by name, and the terminal of the witness; those of the servers come from their cluster's screen. */
import type { PaletteAction } from '../palette/palette.svelte.ts';
import { preferences } from '../preferences.svelte.ts';
import { troubleshootingCommands } from './commands.ts';
import { openTitle, placeName } from './place.ts';
import type { Terminals } from './terminal-store.svelte.ts';

export function terminalActions(terminals: Terminals): readonly PaletteAction[] {
  const words = preferences.words.terminal;
  const server = terminals.commandServer;
  const witness = terminals.servers
    .filter(({ node }) => node === 'witness')
    .map((target) => ({
      id: 'terminal witness',
      title: openTitle(words, target),
      group: words.title,
      run: () => terminals.open(target),
    }));
  if (server === null) return witness;
  return [
    ...witness,
    ...troubleshootingCommands.map((command) => {
      const { title, text } = words.commands[command.key];
      return {
        id: `command ${command.key}`,
        title: words.list.run(title, placeName(words, server)),
        group: words.list.title,
        keywords: command.line,
        text: command.changes ? words.list.changes : text,
        run: () => terminals.runCommand(command),
      };
    }),
  ];
}
