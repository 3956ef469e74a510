"""Every word on the page that is longer than a label, in one place."""

from __future__ import annotations

TITLE = "Durian"
TAGLINE = "Put someone else’s hat, hair or glasses on a portrait, and watch it move."
CONSENT = "I may use these pictures: the people in them agree, or they are free to use."
CONSENT_NEEDED = "Please tick the line above Animate first: it says that you may use these pictures."
SOMETHING_BROKE = "Something broke on our side. Your pictures, masks and clicks are still here: please try again."
CANCELLED = "Cancelled. Everything is as you left it."
RESTED = "This page rested too long and its pictures were deleted: reload it to start afresh."

EMPTY_PORTRAIT = ("Drop a portrait here", "A photo of one face, from the front or nearly so: JPEG, HEIC, PNG, WebP.")
EMPTY_MASK = ("Drop a reference here", "Someone wearing the hat, hair, glasses or beard you want.")
EMPTY_STILL = ("Your still appears here", "Choose a portrait, and what it should wear.")

MANY_FACES = "{count} faces found. Click the one to animate."
VIDEO_TRIMMED = "The video lasts {length}: its first {used} are used. Move Start and End to use another part."
NO_REFERENCE_FACE = "No face found in this reference, so the item is placed by its outline. Move it with the handles."
NOTHING_FOUND = "Nothing was picked out by itself. Click the item, or paint it."
NOTHING_NAMED = "No {name} found here. Click it in the picture, or paint it with the brush."
OTHER_KEPT = "No {name} found here, so the mask is as it was. To mark one by hand, press Clear, then its name again."
NOTHING_WORN = "Nothing to take off was found on this portrait."
ITEMS_NEED_MASK = "Item {numbers} has no mask yet: give it a picture and click the item there."
BLEND_HINT = "Blend needs exactly two items of one kind with a mask each."

RENDERED_BY = "The preview is instant; diffusion is the paper's model and sharpens while you watch."
SMALL_MODEL = "{name} is a small research model ({size} pixels): it shows the method, not its best."
FETCHED_FIRST = "{name} is fetched from the Hugging Face hub when it is first used."
NO_DIFFUSION = "Animations are rendered by the preview. {reason}"
WATCHING = "Frame {frame} as the preview has it; the model's picture takes its place as it sharpens."
ESTIMATE = "Frame {frame} after step {step} of {steps}: not finished yet."
OF_RESULT = "Frame {frame} of the finished animation."

SEGMENTER = "Built in is instant; Segment Anything is sharper and slower on a CPU."
SAM_READY = "Segment Anything is here. Choose it above."
HISTORY_EMPTY = "Your animations of this visit appear here."
LOOK_BOOK_HINT = "Drop several references: each is tried on the portrait, one still a reference."
STRIP_HINT = "Five stills from the first item to the second. Switch to Blend with two items of one kind."

PRIVACY = (
    "Your files stay on this machine and are deleted after {minutes} minutes; "
    "what you made goes when you close the page."
)
FOOT = (
    "Results carry an AI-generated mark. After the paper Durian (Cha, Kim, Joo 2025); "
    "this is an independent open implementation."
)

# One line for each control. Distances are in the space between the portrait's outer eye corners.
ROOM = "How much around the face is kept; more for long hair."
SHIFT_X = "Moves the crop sideways."
SHIFT_Y = "Moves the crop up or down."
STRENGTH = "How strongly this item shows: 0 hides it, 1 is fully on."
EXPANSION = "Grows or shrinks the hole in the portrait under the items, in eye distances."
TRIM = "Cuts the item's own edge back (above 0) or lets it out (below 0), in eye distances."
LAYER = "Which item lies on top: higher covers lower."
DX = "Moves the item right, in eye distances."
DY = "Moves the item down, in eye distances."
SCALE = "Makes the item larger or smaller."
ANGLE = "Turns the item clockwise, in degrees."
BLEND_START = "α at the first frame: 0 is the first item, 1 the second."
BLEND_END = "α at the last frame; the same as the start keeps it still."
ERASE = "Takes off what the portrait wears and fills in what is behind."
POSE = "How far the head moves: 1 is as in the motion."
EXPRESSION = "How strongly the face acts: 1 is as in the motion."
SMOOTHING = "Calms a shaky motion; seconds over which it is averaged."
FRAMES = "Length of the clip in frames."
FPS = "Frames a second; length = frames ÷ fps."
SIZE = "Side of the square video in pixels; time grows with its area."
LIGHT = "0 keeps the item's own colours, 1 matches them to the portrait's light."
SEED = "The same seed gives the same result."
LABEL = "A small “AI-generated” in the corner of the picture."
UNCROP = "Puts the moving face back into the whole photo."
NORMALISE_LIPS = "Closes a mouth that is open in the portrait before the motion speaks."
SOUND = "Keeps the driving video's sound, in time with the motion."
FRAME = "Which moment of the motion the still shows."
TRIM_START = "Where the used part of the video begins, in seconds."
TRIM_END = "Where it ends, in seconds."
STEPS = "Passes over the whole clip: more is finer and slower; 0 takes the model's own number."
GUIDANCE = "How closely the model keeps to your pictures: 1 is twice as fast, 0 takes the model's own."
NEUTRAL = "Second in the trimmed clip at which the driver looks calm; −1 finds it."
