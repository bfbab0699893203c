import { mount } from 'svelte';
import { app } from './app.svelte.ts';
import App from './App.svelte';
import { preferences } from './preferences.svelte.ts';

const target = document.querySelector('#app');
if (!target) throw new Error('index.html has no element #app');

/** Longer than the main process takes to answer when it is there; then the page says that it is not. */
const patienceMs = 400;

async function askAbout(): Promise<void> {
  try {
    app.about = await app.call('app', {});
    preferences.take(app.about.preferences);
  } catch {
    // Lost on the way: asked again with the next connection.
  }
}

app.connect();
// Words and colours as this person chose them, from the first one painted.
await new Promise<void>((resolve) => {
  app.whenConnected(() => void askAbout().then(resolve));
  setTimeout(resolve, patienceMs);
});
document.documentElement.dataset['theme'] = preferences.theme;
mount(App, { target });
