"""What names, titles and places are made of. Invented; a good part beyond ASCII."""

FIRST_NAMES = (
    "Ava Lily Ryan Kaylee Jacob Zoë Chloe Tegan Mateo Anaïs Noël Aiyana Cecilia Jürgen Walter "
    "Sylvie Theo José Matthew Celeste Layla Samuel Adelyn Isaac Joseph Rylan Jayden Kinsley Hayden"
).split()
LAST_NAMES = (
    "Robinson Koch Smith Summers Klein Levine Cuevas Muñoz Harrison Müller Barrera Duffy Arellano "
    "Lynch Gonzalez Owens Jones Griffin Roth Wood Bell Frye Harris Watkins Østergaard Morales"
).split()
PLACES = (
    "San Jose-Sunnyvale-Santa Clara, CA|Chicago-Naperville-Elgin, IL-IN-WI|Lansing-East Lansing, MI"
    "|New York-Newark-Jersey City, NY-NJ-PA|Atlanta-Sandy Springs-Roswell, GA|Portland-South "
    "Portland, ME|Tampa-St. Petersburg-Clearwater, FL|Waterloo-Cedar Falls, IA|Janesville-Beloit, "
    "WI|Red Bluff, CA|Lake Havasu City-Kingman, AZ|Birmingham-Hoover, AL|San Antonio-New "
    "Braunfels, TX|Marinette, WI-MI|La Crosse-Onalaska, WI-MN|Houston-The Woodlands-Sugar Land, TX"
).split("|")
HOMES = (
    "California - LA|London, England|Reykjavík, Iceland|São Paulo||Memphis, TN|Köln, Germany"
    '||Montréal, Québec|<a href="http://example.org">Nashville</a>, TN||Detroit, MI'
).split("|")
AGENTS = (
    '"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0.1985.125"',
    '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.78.2 (KHTML, like Gecko)"',
    '"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/36.0"',
    "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:31.0) Gecko/20100101 Firefox/31.0",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; WOW64; Trident/6.0)",
)
ADJECTIVES = (
    "Blue Broken Silent Électrique Golden Hollow Midnight Northern Röde Paper Slow Velvet Añejo "
    "Crooked Distant Early Frozen Gentle Hidden Iron Last Little Lonely Pale Quiet Restless Sudden"
).split()
NOUNS = (
    "Garden River Señora Machine Sky Café Harbor Mirror Street Winter Träume Engine Season Ghost "
    "Horses Letters Rain Shadow Summer Train Window Ocean Fire Ghosts Lights Satellite Tiger Wolves"
).split()
TAILS = ("", "", "", " (Live)", " (Album Version)", ", Pt. 2", " [Remastered]", " - Reprise")
