/** Before the files of this folder run side by side: none of them has to build the screens then. */
import { buildRenderer } from '../../resources/build-app.ts';

export default buildRenderer;
